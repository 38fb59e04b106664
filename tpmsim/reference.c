//go:build cgo && linux

// The reference implementation takes entropy and time from two functions of the
// system, RAND_bytes and clock_gettime. The linker sends its calls here instead
// (--wrap), and on a thread that was given a seed they answer from the seed. On
// every other thread they do what they always did.

#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

int __real_RAND_bytes(unsigned char *out, int size);
int __real_clock_gettime(clockid_t id, struct timespec *now);

// The generator is SHA-256(seed ‖ blocks drawn so far). The TPM's own DRBG stands
// between it and everything the TPM makes.
static _Thread_local struct {
	uint8_t seed[32];
	uint64_t drawn;
} stream;
static _Thread_local int seeded;
static _Thread_local uint64_t clock_ms;

void tpmsim_seed(const uint8_t *seed) {
	memcpy(stream.seed, seed, sizeof stream.seed);
	stream.drawn = 0;
	clock_ms = 1; // the implementation takes 0 for a clock not read yet
	seeded = 1;
}

void tpmsim_set_clock(uint64_t ms) { clock_ms = ms; }

int __wrap_RAND_bytes(unsigned char *out, int size) {
	if (!seeded)
		return __real_RAND_bytes(out, size);
	while (size > 0) {
		uint8_t block[SHA256_DIGEST_LENGTH];
		int n = size < (int)sizeof block ? size : (int)sizeof block;
		SHA256((const uint8_t *)&stream, sizeof stream, block);
		stream.drawn++;
		memcpy(out, block, n);
		out += n;
		size -= n;
	}
	return 1;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now) {
	if (!seeded)
		return __real_clock_gettime(id, now);
	now->tv_sec = clock_ms / 1000;
	now->tv_nsec = clock_ms % 1000 * 1000000;
	return 0;
}
