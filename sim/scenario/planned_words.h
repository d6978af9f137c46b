// Words of the language that this version cannot run yet: known to messages, docs and editors, and
// refused plainly by whoever uses them.
#pragma once

namespace skiff {

// Registers the strategies that no folder has brought yet, and the protocols. Call it once main has
// begun and before the catalogue is shown; loading a scenario does so itself.
void register_planned_words();

}  // namespace skiff
