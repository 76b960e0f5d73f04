/* How Kotlin reaches the generated C of {{ name }}; NativeEngine.kt declares the same functions. {{ banner }} */
#include "{{ name }}.h"
#include "{{ name }}_check.h"

#include <jni.h>
#include <stdlib.h>

/* What one inference needs: on the heap, so that threads with a small stack can run one, and several at a time. */
typedef struct {
    uint8_t pixels[{{ pixels }}];
    int8_t outputs[{{ outputs_count }}];
    {{ name }}_arena_t arena;
} inference_t;

/* Returns the class of a picture and fills the outputs; where an array is too short, Java's own exception is pending. */
JNIEXPORT jint JNICALL
Java_com_example_glyphreader_NativeEngine_classify(JNIEnv *env, jobject engine, jbyteArray pixels, jbyteArray outputs) {
    (void)engine;
    jint found = -1;
    inference_t *const inference = malloc(sizeof *inference);
    if (inference == NULL) {
        (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/OutOfMemoryError"), "no memory for an inference");
        return found;
    }
    (*env)->GetByteArrayRegion(env, pixels, 0, {{ pixels }}, (jbyte *)inference->pixels);
    if (!(*env)->ExceptionCheck(env)) {
        found = {{ name }}_classify(inference->pixels, inference->outputs, &inference->arena);
        (*env)->SetByteArrayRegion(env, outputs, 0, {{ outputs_count }}, (const jbyte *)inference->outputs);
    }
    free(inference);
    return found;
}

/* Returns how many bytes of the exported sample's outputs differ from TensorFlow Lite Micro's. */
JNIEXPORT jint JNICALL Java_com_example_glyphreader_NativeEngine_check(JNIEnv *env, jobject engine) {
    (void)env;
    (void)engine;
    return {{ name }}_check();
}
