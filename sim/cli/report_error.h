// What the user sees of an exception, and the exit code that goes with it.
#pragma once

#include <exception>

namespace skiff::cli {

// Prints to stderr. ScenarioError, UsageError: 2. DataError, RunError and bugs: 1.
int report_error(const std::exception_ptr& error);

}  // namespace skiff::cli
