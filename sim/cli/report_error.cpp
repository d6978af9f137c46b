#include "sim/cli/report_error.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <new>
#include <string>

#include "sim/cli/command.h"
#include "sim/core/error.h"

namespace skiff::cli {
namespace {

// Problems found after reading (a model that does not suit the data) have no source line yet.
std::string source_line(const Location& where) {
  if (where.line <= 0) return "";
  std::ifstream in(where.file);
  std::string text;
  for (int i = 0; i < where.line; ++i) {
    if (!std::getline(in, text)) return "";
  }
  return text;
}

void print(const ScenarioError& error) {
  for (Problem problem : error.problems()) {
    if (problem.source.empty()) problem.source = source_line(problem.where);
    fmt::print(stderr, "{}\n", to_string(problem));
  }
  const std::size_t n = error.problems().size();
  if (n > 1) fmt::print(stderr, "{} problems\n", n);
}

}  // namespace

int report_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ScenarioError& e) {
    print(e);
    return kUsage;
  } catch (const UsageError& e) {
    fmt::print(stderr, "skiff: {}\n", e.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "skiff: this machine has too little memory for this run\n");
    return kRunFailed;
  } catch (const std::logic_error& e) {
    fmt::print(stderr, "skiff: {}\nThis is a bug in skiff; please report it.\n", e.what());
    return kRunFailed;
  } catch (const std::exception& e) {
    fmt::print(stderr, "skiff: {}\n", e.what());
    return kRunFailed;
  }
}

}  // namespace skiff::cli
