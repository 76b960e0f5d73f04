/* Which builds of {{ name }} there are for this family of processors. With {{ macro }}_DISPATCH defined, the files of this folder
 * take the place of {{ name }}.c, and the program chooses among them by the processor that it finds; without it they are empty. */
#ifndef GLYPHLITE_DISPATCH_{{ macro }}
#define GLYPHLITE_DISPATCH_{{ macro }}

{% if has_many %}
#if defined({{ macro }}_DISPATCH) && !defined({{ macro }}_MANY)
#define {{ macro }}_MANY 1
#endif

{% endif %}
/* x86: gcc and clang know the instructions from these versions on. */
#if !defined({{ macro }}_DISPATCH) || !defined(__x86_64__) || !defined(__GNUC__)
#define {{ macro }}_HAS_AVX2 0
#define {{ macro }}_HAS_AVX_VNNI 0
#define {{ macro }}_HAS_AVX512_VNNI 0
#elif defined(__clang__)
#define {{ macro }}_HAS_AVX2 1
#define {{ macro }}_HAS_AVX_VNNI (__clang_major__ >= 12)
#define {{ macro }}_HAS_AVX512_VNNI (__clang_major__ >= 7)
#else
#define {{ macro }}_HAS_AVX2 1
#define {{ macro }}_HAS_AVX_VNNI (__GNUC__ >= 11)
#define {{ macro }}_HAS_AVX512_VNNI (__GNUC__ >= 8)
#endif

/* AArch64: Linux and Android say what the processor has; Apple's compilers know. */
#if !defined({{ macro }}_DISPATCH) || !defined(__aarch64__) || !defined(__linux__) || !defined(__GNUC__)
#define {{ macro }}_HAS_DOTPROD 0
#define {{ macro }}_HAS_I8MM 0
#elif defined(__clang__)
#define {{ macro }}_HAS_DOTPROD (__clang_major__ >= 17)
#define {{ macro }}_HAS_I8MM (__clang_major__ >= 17)
#else
#define {{ macro }}_HAS_DOTPROD (__GNUC__ >= 8)
#define {{ macro }}_HAS_I8MM (__GNUC__ >= 10)
#endif

#define {{ macro }}_DISPATCHES ({{ macro }}_HAS_AVX2 || {{ macro }}_HAS_DOTPROD)

#endif
