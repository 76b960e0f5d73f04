/* The DSP intrinsics of the Arm C Language Extensions that generated C uses, in portable C: sanitizers then see the DSP kernels on any host.
 * Build with -D__ARM_FEATURE_DSP=1 -D__ARM_FEATURE_SIMD32=1 and this folder among the include paths. */
#ifndef HOST_ACLE_H
#define HOST_ACLE_H

#include <stdint.h>

static inline int32_t acle_bottom(int32_t x) { return (int16_t)((uint32_t)x & 0xFFFFU); }
static inline int32_t acle_top(int32_t x) { return (int16_t)((uint32_t)x >> 16); }
static inline int32_t acle_wrap(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

static inline int32_t __sxtb16(int32_t x) {
    const uint32_t low = (uint32_t)(int32_t)(int8_t)((uint32_t)x & 0xFFU);
    const uint32_t high = (uint32_t)(int32_t)(int8_t)(((uint32_t)x >> 16) & 0xFFU);
    return (int32_t)((low & 0xFFFFU) | (high << 16));
}
static inline int32_t __smlad(int32_t a, int32_t b, int32_t c) {
    return acle_wrap(acle_wrap(acle_bottom(a) * acle_bottom(b), c), acle_top(a) * acle_top(b));
}
static inline int32_t __smlabb(int32_t a, int32_t b, int32_t c) { return acle_wrap(acle_bottom(a) * acle_bottom(b), c); }
static inline int32_t __smlabt(int32_t a, int32_t b, int32_t c) { return acle_wrap(acle_bottom(a) * acle_top(b), c); }
static inline int32_t __smlatb(int32_t a, int32_t b, int32_t c) { return acle_wrap(acle_top(a) * acle_bottom(b), c); }
static inline int32_t __smlatt(int32_t a, int32_t b, int32_t c) { return acle_wrap(acle_top(a) * acle_top(b), c); }

#endif
