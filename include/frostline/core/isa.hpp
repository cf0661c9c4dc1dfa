// SPDX-License-Identifier: MIT
#pragma once

/// Name of the inline namespace that holds the whole library.
///
/// Two translation units of one program that are compiled for different instruction sets would otherwise
/// define the same inline functions with different code, and the linker would keep either: an AVX-512 body
/// may then run on a machine without it. With the instruction set in every mangled name the mix links as two
/// libraries, or not at all where their types meet.
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#define FROSTLINE_ISA isa_avx512
#elif defined(__AVX512F__)
#define FROSTLINE_ISA isa_avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#define FROSTLINE_ISA isa_avx2_fma
#elif defined(__AVX2__)
#define FROSTLINE_ISA isa_avx2
#elif defined(__AVX__) && defined(__FMA__)
#define FROSTLINE_ISA isa_avx_fma
#elif defined(__AVX__)
#define FROSTLINE_ISA isa_avx
#elif defined(__SSE4_2__)
#define FROSTLINE_ISA isa_sse4
#else
#define FROSTLINE_ISA isa_baseline
#endif
