// What can be said about the text of a scenario without the YAML library: lines, bytes, words.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>

#include "sim/scenario/yaml.h"

namespace skiff {
namespace {

constexpr std::uintmax_t kMostBytes = 16u << 20;

// Length of the UTF-8 sequence that begins at `i`, 0 if there is none. Overlong forms, surrogates
// and values past U+10FFFF are none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

std::optional<std::string> wrong_with_line(std::string_view line, std::size_t& column) {
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t length = utf8_length(line, i);
    const auto c = static_cast<unsigned char>(line[i]);
    if (length == 0 || (c < 0x20 && c != '\t' && c != '\r') || c == 0x7F) {
      column = i + 1;
      return fmt::format("byte 0x{:02X} is no text; a scenario is UTF-8", c);
    }
    i += length;
  }
  const std::size_t first = line.find_first_not_of(" \t");
  const bool blank = first == std::string_view::npos || line[first] == '#' || line[first] == '\r';
  const std::size_t tab = line.find('\t');
  if (blank || tab >= first) return std::nullopt;
  column = tab + 1;
  return "a tab cannot indent YAML; use spaces";
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::vector<Problem> check_text(std::string_view text, const std::string& file) {
  std::vector<Problem> problems;
  int number = 0;
  while (!text.empty() && problems.size() < 20) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::size_t column = 0;
    if (const auto wrong = wrong_with_line(text.substr(0, end), column)) {
      problems.push_back({{file, number, static_cast<int>(column)}, "", *wrong, ""});
      if (wrong->starts_with("byte")) return problems;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return problems;
}

void SourceTexts::add(const std::string& file, std::string_view text) {
  lines_[file] = split_lines(text);
}

void SourceTexts::add_override(const std::string& text) { overrides_.push_back(text); }

std::string SourceTexts::line(const Location& where) const {
  constexpr std::size_t kMostShown = 200;
  std::string line;
  if (where.file == kOverrideFile && where.line < 0) {
    const auto index = static_cast<std::size_t>(-1 - where.line);
    if (index < overrides_.size()) line = overrides_[index];
  } else if (const auto it = lines_.find(where.file); it != lines_.end() && where.line > 0) {
    const auto index = static_cast<std::size_t>(where.line) - 1;
    if (index < it->second.size()) line = it->second[index];
  }
  // A caret must stand below the character that it means, and a binary line must not be shown.
  if (line.size() > kMostShown) return "";
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t length = utf8_length(line, i);
    if (line[i] == '\t') line[i] = ' ';
    if (length == 0 || static_cast<unsigned char>(line[i]) < 0x20) return "";
    i += length;
  }
  return line;
}

bool is_plain_word(std::string_view text) {
  const auto safe = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view(" _-./%+()$~^=*;<>").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.ends_with(' ')) return false;
  const char first = text.front();
  const bool sign = (first == '-' || first == '+') && text.size() > 1 &&
                    std::isalnum(static_cast<unsigned char>(text[1]));
  const bool begins = std::isalnum(static_cast<unsigned char>(first)) || first == '.' ||
                      first == '/' || first == '_' || first == '$' || sign;
  if (!begins || text == "..." || text == "null" || text == "Null" || text == "NULL") return false;
  return std::all_of(text.begin(), text.end(), safe);
}

namespace {

std::string quoted_word(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string word(const std::string& text, bool quoted) {
  return quoted || !is_plain_word(text) ? quoted_word(text) : text;
}

std::string flow(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kScalar:
      return word(node.text, node.quoted);
    case Node::Kind::kList:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + flow(item);
      return "[" + text + "]";
    case Node::Kind::kMap:
      for (const Node::Entry& e : node.entries) {
        text += (text.empty() ? "" : ", ") + word(e.key, false) + ": " + flow(e.value);
      }
      return "{" + text + "}";
  }
  return text;
}

void block(const Node& map, std::size_t indent, std::string& out) {
  for (const Node::Entry& e : map.entries) {
    out += std::string(indent, ' ') + word(e.key, false) + ":";
    if (e.value.is_map() && !e.value.entries.empty()) {
      out += '\n';
      block(e.value, indent + 2, out);
    } else {
      out += ' ' + flow(e.value) + '\n';
    }
  }
}

}  // namespace

std::string to_yaml(const Node& map) {
  if (!map.is_map() || map.entries.empty()) return flow(map) + "\n";
  std::string out;
  block(map, 0, out);
  return out;
}

std::string read_scenario_file(const std::string& file) {
  namespace fs = std::filesystem;
  const auto refuse = [&](const std::string& why) {
    Problem problem;
    problem.where.file = file;
    problem.message = why;
    throw ScenarioError(std::vector<Problem>{problem});
  };
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) refuse("no such file");
  if (fs::is_directory(status)) refuse("is a folder; name a scenario file");
  if (fs::is_regular_file(status) && fs::file_size(file, error) > kMostBytes) {
    refuse("larger than 16 MiB; this cannot be a scenario");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse("cannot be read");
  std::string text;
  std::string chunk(1 << 16, '\0');
  while (stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size())),
         stream.gcount() > 0) {
    text.append(chunk, 0, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kMostBytes) refuse("larger than 16 MiB; this cannot be a scenario");
  }
  return text;
}

}  // namespace skiff
