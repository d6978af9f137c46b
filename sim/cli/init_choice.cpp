// The small grammar of `skiff init`'s options: WORD[,KEY=VALUE...].
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "sim/cli/command.h"
#include "sim/cli/init_scenario.h"

namespace skiff::cli {
namespace {

// What YAML reads as one plain scalar inside {}.
bool plain(const std::string& text) {
  constexpr const char* kMarks = "._%+/-";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr(kMarks, c) != nullptr;
  });
}

bool number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) != 0 || c == '.';
  });
}

std::string without(const std::string& text, const std::string& ending) {
  return text.ends_with(ending) ? text.substr(0, text.size() - ending.size()) : "";
}

}  // namespace

bool Choice::has(const std::string& key) const {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return k.first == key; });
}

void Choice::add(const std::string& key, const std::string& value) {
  if (!has(key)) keys.emplace_back(key, value);
}

Choice read_choice(const std::string& option, const std::string& text) {
  Choice choice;
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(fmt::format("init: --{} {}: {}", option, text, reason));
  };
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    at = comma + 1;
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    std::string bits = without(word, "bit");
    if (bits.empty()) bits = without(word, "bits");
    if (!plain(key) || (equals != std::string::npos && !plain(word.substr(equals + 1)))) {
      refuse("write NAME or NAME,KEY=VALUE,... of plain words; lists are for the file");
    }
    const auto set = [&](const std::string& name, const std::string& value) {
      if (choice.has(name)) refuse(name + " twice");
      choice.add(name, value);
    };
    if (equals != std::string::npos) {
      set(key, word.substr(equals + 1));
    } else if (number(bits)) {
      set("bits", bits);
    } else if (number(without(word, "%"))) {
      set("sparsity", word);
    } else if (choice.name.empty()) {
      choice.name = word;
    } else {
      refuse(fmt::format("{} and {}: one of them", choice.name, word));
    }
  }
  return choice;
}

}  // namespace skiff::cli
