#include "sim/scenario/planned_words.h"

#include "sim/scenario/protocol.h"

namespace skiff {

void register_planned_words() {
  [[maybe_unused]] static const bool once = [] {
    register_protocols();
    return true;
  }();
}

}  // namespace skiff
