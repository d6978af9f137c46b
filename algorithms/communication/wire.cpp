#include "algorithms/communication/wire.h"

#include <fmt/format.h>

namespace skiff::wire {

void refuse(const char* codec, const std::string& message) {
  throw DataError(fmt::format("{} payload", codec), message);
}

void refuse_not_finite(const char* codec) { refuse(codec, "it holds a number that is not finite"); }

void expect_size(const char* codec, const Payload& payload, std::size_t bytes) {
  if (payload.bytes.size() == bytes) return;
  refuse(codec, fmt::format("expected {} bytes, found {}", bytes, payload.bytes.size()));
}

}  // namespace skiff::wire
