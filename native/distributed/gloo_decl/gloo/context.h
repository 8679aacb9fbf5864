#pragma once

#include <chrono>

namespace gloo {

class Context {  // ProcessGroupGloo holds shared pointers to it
 public:
  void setTimeout(std::chrono::milliseconds timeout);  // ProcessGroupGloo::setTimeout calls it
  std::chrono::milliseconds getTimeout() const;        // its counterpart
};

namespace transport {
class UnboundBuffer;  // SendWork and RecvWork hold unique pointers to it
}  // namespace transport

}  // namespace gloo
