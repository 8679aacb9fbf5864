#pragma once

namespace gloo::transport {

class Device;  // ProcessGroupGloo::Options holds shared pointers to it

}  // namespace gloo::transport
