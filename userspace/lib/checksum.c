// SPDX-License-Identifier: GPL-2.0
#include "checksum.h"

#include <zlib.h>

#ifdef __x86_64__
#include <immintrin.h>

/*
 * Folding by carry-less multiplication: V. Gopal and others, "Fast CRC Computation
 * for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009. The numbers are
 * those of the polynomial 0x04c11db7 with the bits of a byte reversed: x^n modulo the
 * polynomial, by n the bits that are folded over.
 */
#define X_BY_544	0x154442bd4
#define X_BY_480	0x1c6e41596
#define X_BY_160	0x1751997d0
#define X_BY_96		0x0ccaa009e
#define X_BY_64		0x163cd6124
#define POLYNOMIAL	0x1db710641
/* x^64 divided by the polynomial */
#define QUOTIENT	0x1f7011641

/* Fewer bytes than that are not worth it. */
#define FOLD_MIN	64

#define FOLDS	__attribute__((target("pclmul,sse4.1")))

static FOLDS __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* Moves the 128 bits of @x by what @by stands for, onto @to. */
static FOLDS __m128i onto(__m128i x, __m128i by, __m128i to)
{
	__m128i low = _mm_clmulepi64_si128(x, by, 0x00);
	__m128i high = _mm_clmulepi64_si128(x, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), to);
}

/* The remainder of 128 bits. */
static FOLDS uint32_t remainder_of(__m128i x)
{
	const __m128i low32 = _mm_set_epi32(0, -1, 0, -1);
	const __m128i by = _mm_set_epi64x(X_BY_96, X_BY_96);
	const __m128i divide = _mm_set_epi64x(QUOTIENT, POLYNOMIAL);
	__m128i t;

	/* To 96 bits, and to 64. */
	x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, by, 0x10));
	t = _mm_srli_si128(x, 4);
	x = _mm_and_si128(x, low32);
	x = _mm_xor_si128(_mm_clmulepi64_si128(x, _mm_cvtsi64_si128(X_BY_64), 0x00), t);
	/* Barrett's division. */
	t = _mm_clmulepi64_si128(_mm_and_si128(x, low32), divide, 0x10);
	t = _mm_clmulepi64_si128(_mm_and_si128(t, low32), divide, 0x00);
	return _mm_extract_epi32(_mm_xor_si128(x, t), 1);
}

/* @size is a multiple of 16, and FOLD_MIN at least. */
static FOLDS uint32_t fold(uint32_t crc, const uint8_t *p, size_t size)
{
	const __m128i by512 = _mm_set_epi64x(X_BY_480, X_BY_544);
	const __m128i by128 = _mm_set_epi64x(X_BY_96, X_BY_160);
	__m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128(crc));
	__m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);

	for (p += 64, size -= 64; size >= 64; p += 64, size -= 64) {
		a = onto(a, by512, load(p));
		b = onto(b, by512, load(p + 16));
		c = onto(c, by512, load(p + 32));
		d = onto(d, by512, load(p + 48));
	}
	a = onto(a, by128, b);
	a = onto(a, by128, c);
	a = onto(a, by128, d);
	for (; size; p += 16, size -= 16)
		a = onto(a, by128, load(p));
	return remainder_of(a);
}

uint32_t ct_checksum(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t folded = size & ~(size_t)15;

	if (folded >= FOLD_MIN && __builtin_cpu_supports("pclmul") &&
	    __builtin_cpu_supports("sse4.1")) {
		crc = ~fold(~crc, p, folded);
		p += folded;
		size -= folded;
	}
	/* zlib takes no data as a wish for the first value. */
	return size ? crc32(crc, p, size) : crc;
}

#else

uint32_t ct_checksum(uint32_t crc, const void *data, size_t size)
{
	return size ? crc32(crc, data, size) : crc;
}

#endif
