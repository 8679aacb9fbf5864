// Translates between libtorch's dtypes, layouts, memory formats and devices and their names in JavaScript.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace cleanclip {

// 'float32' and so on. The functions that take a name throw ArgumentError, which lists the allowed names.
at::ScalarType dtypeFromName(const std::string& name);
const char* dtypeName(at::ScalarType dtype);

// 'strided' and so on, as the integers that an IValue holds.
int64_t layoutFromName(const std::string& name);
const char* layoutName(int64_t layout);

// 'channels_last' and so on, as the integers that an IValue holds.
int64_t memoryFormatFromName(const std::string& name);
const char* memoryFormatName(int64_t format);

// 'cpu', 'cuda:0' and so on. libtorch throws for a name that is not a device.
c10::Device deviceFromName(const std::string& name);

}  // namespace cleanclip
