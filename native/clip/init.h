#pragma once

#include <ATen/core/Generator.h>

#include "clip.h"

namespace cleanclip {

// Fills every parameter and buffer as OpenAI's initialize_parameters does, torch's defaults where that is silent.
void initialise(Clip& clip, const at::Generator& generator);

}  // namespace cleanclip
