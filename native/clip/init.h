#pragma once

#include <ATen/core/Generator.h>

#include "clip.h"

namespace cleanclip {

// Fills every parameter and buffer as OpenAI's initialize_parameters does, and with torch's defaults where it does not.
void initialise(Clip& clip, const at::Generator& generator);

}  // namespace cleanclip
