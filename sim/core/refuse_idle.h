// What the checks of schemas say of a key that nothing would read.
#pragma once

#include <string>

#include "sim/core/reader.h"

namespace skiff {

// Of a check: a key that was given another value than its default, where nothing would read it.
inline void refuse_idle(bool idle, const char* key, const std::string& reader_of_it,
                        const Node& map, Reader& reader) {
  const Node* written = map.find(key);
  if (!idle || written == nullptr) return;
  const Reader::Scope scope(reader, key);
  reader.problem(written->where, "only " + reader_of_it + " reads it; leave it out");
}

}  // namespace skiff
