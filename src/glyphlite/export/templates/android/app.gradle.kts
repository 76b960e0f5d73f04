// Kotlin is compiled by the Android plugin itself, from its version 9 on.
plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "com.example.glyphreader"
    compileSdk = {{ versions.api }}
    ndkVersion = "{{ versions.ndk }}"

    defaultConfig {
        applicationId = "{{ application }}" // choose your own before you publish
        minSdk = {{ versions.least_api }} // of LiteRT
        targetSdk = {{ versions.api }}
        versionCode = 1
        versionName = "1.0"
        ndk {
            abiFilters += listOf("arm64-v8a", "x86_64") // phones, and the emulator
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    androidResources {
        noCompress += "tflite"
    }

    externalNativeBuild {
        cmake {
            path = file("src/main/cpp/CMakeLists.txt")
        }
    }
}

dependencies {
    implementation(libs.litert)
}
