#include "failure.h"

#include <new>

#include "errors.h"

namespace cleanclip {

void rethrowAsDistributed(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ArgumentError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::Error& error) {
    throw DistributedError(exchangeFailure(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw DistributedError(exchangeFailure(error.what()));
  }
}

}  // namespace cleanclip
