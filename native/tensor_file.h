// Writes tensors into files, and reads them. Files hold tensors in row-major order and the machine's byte order.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

// Node exports its zlib to addons, but not zlib's header. This zlib uses the processor's CRC instructions.
extern "C" {
unsigned long crc32_z(unsigned long crc, const unsigned char* bytes, size_t size);
unsigned long crc32_combine(unsigned long first, unsigned long second, long second_size);
}

namespace cleanclip {

// Writes bytes at a position of a file, and lets the disk begin with them. Returns 0, or the errno.
int writeAt(int fd, const uint8_t* bytes, int64_t size, int64_t position);

void exportTensorFile(Napi::Env env, Napi::Object exports);
void exportTensorReading(Napi::Env env, Napi::Object exports);
void exportFileImage(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
