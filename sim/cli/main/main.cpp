// skiff: the command line. One function a verb; see sim/cli/command.h.

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "sim/cli/command.h"
#include "sim/cli/home.h"
#include "sim/cli/report_error.h"
#include "sim/cli/version_text.h"
#include "sim/core/error.h"

namespace {

using skiff::cli::Verb;
using skiff::cli::verbs;

void print_usage(std::FILE* to) {
  fmt::print(to, "usage: skiff VERB [options]      skiff VERB --help\n\n");
  for (const Verb& v : verbs()) {
    fmt::print(to, "  {:<9} {:<31} {}\n", v.name, v.arguments, v.summary);
  }
  fmt::print(to, "\nstart here: skiff run scenarios/quickstart.yaml\n");
}

int unknown_verb(const std::string& word) {
  std::vector<std::string> names;
  for (const Verb& v : verbs()) names.push_back(v.name);
  const std::string near = skiff::nearest_word(word, names);
  fmt::print(
      stderr, "skiff: unknown verb \"{}\"{}\n", word,
      near.empty() ? "; skiff --help lists them" : fmt::format("; did you mean \"{}\"?", near));
  return skiff::cli::kUsage;
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_usage(stderr);
    return skiff::cli::kUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage(stdout);
    return skiff::cli::kOk;
  }
  if (words[0] == "--version") {
    fmt::print("{}", skiff::cli::version_text());
    return skiff::cli::kOk;
  }
  for (const Verb& v : verbs()) {
    if (v.name == words[0]) return v.run({words.begin() + 1, words.end()});
  }
  return unknown_verb(words[0]);
}

}  // namespace

int main(int argc, char** argv) {
  skiff::cli::find_home();
  try {
    return dispatch({argv + 1, argv + argc});
  } catch (...) {
    return skiff::cli::report_error(std::current_exception());
  }
}
