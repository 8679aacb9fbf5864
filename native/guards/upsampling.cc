#include <cmath>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// The kernels for antialiasing and for quantized images compute windows from the `scales` argument. The windows leave
// the image when the scales are far from the ratio of the sizes.
void upsample(const Schema& schema, const Stack& stack) {
  const auto& image = stack.at(0).toTensor();
  const auto size = argument(schema, stack, "output_size");
  const bool trusting = image.is_quantized() || schema.name().ends_with("_aa");
  if (!trusting || !size.isIntList() || image.dim() != size.toIntVector().size() + 2) return;
  const auto places = size.toIntVector();
  const std::vector<const char*> names =
      places.size() == 1 ? std::vector{"scales"} : std::vector{"scales_d", "scales_h", "scales_w"};
  for (size_t place = 0; place < places.size(); place++) {
    const auto scale = argumentIfAny(schema, stack, names[names.size() - places.size() + place]);
    if (scale.isDouble() && !(std::fabs(image.size(2 + place) * scale.toDouble() - places[place]) <= 1)) {
      refuse(schema, "scales equal to the output's size divided by the input's; leave them out.");
    }
  }
}

}  // namespace cleanclip::guards
