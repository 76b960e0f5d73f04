# How CMake builds for a Cortex-M: -DCMAKE_TOOLCHAIN_FILE=this file -DCORE=cortex-m4
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # a test program would want start-up code
set(CORE cortex-m4 CACHE STRING "which Cortex-M")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CORE)
{% for board in boards if board.architecture == "arm" %}
set(flags_{{ board.core }} "{{ board.gnu_flags }}")
{% endfor %}
set(CMAKE_C_FLAGS_INIT "${flags_${CORE}} -O2 -ffreestanding -ffunction-sections -fdata-sections")
