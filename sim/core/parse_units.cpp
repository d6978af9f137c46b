#include "sim/core/parse_units.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>

namespace skiff {
namespace {

struct Unit {
  std::string_view symbol;
  Dimension dimension;
  double factor;
};

constexpr double kKi = 1024;
constexpr std::array kUnits{
    Unit{"B", Dimension::kBytes, 1},
    Unit{"kB", Dimension::kBytes, 1e3},
    Unit{"MB", Dimension::kBytes, 1e6},
    Unit{"GB", Dimension::kBytes, 1e9},
    Unit{"TB", Dimension::kBytes, 1e12},
    Unit{"KiB", Dimension::kBytes, kKi},
    Unit{"MiB", Dimension::kBytes, kKi* kKi},
    Unit{"GiB", Dimension::kBytes, kKi* kKi* kKi},
    Unit{"TiB", Dimension::kBytes, kKi* kKi* kKi* kKi},
    Unit{"bps", Dimension::kRate, 0.125},
    Unit{"kbps", Dimension::kRate, 125},
    Unit{"Mbps", Dimension::kRate, 125e3},
    Unit{"Gbps", Dimension::kRate, 125e6},
    Unit{"B/s", Dimension::kRate, 1},
    Unit{"kB/s", Dimension::kRate, 1e3},
    Unit{"MB/s", Dimension::kRate, 1e6},
    Unit{"GB/s", Dimension::kRate, 1e9},
    Unit{"KiB/s", Dimension::kRate, kKi},
    Unit{"MiB/s", Dimension::kRate, kKi* kKi},
    Unit{"GiB/s", Dimension::kRate, kKi* kKi* kKi},
    Unit{"s", Dimension::kTime, 1},
    Unit{"ns", Dimension::kTime, 1e-9},
    Unit{"us", Dimension::kTime, 1e-6},
    Unit{"ms", Dimension::kTime, 1e-3},
    Unit{"min", Dimension::kTime, 60},
    Unit{"h", Dimension::kTime, 3600},
    Unit{"d", Dimension::kTime, 86400},
    Unit{"J", Dimension::kEnergy, 1},
    Unit{"mJ", Dimension::kEnergy, 1e-3},
    Unit{"kJ", Dimension::kEnergy, 1e3},
    Unit{"MJ", Dimension::kEnergy, 1e6},
    Unit{"Wh", Dimension::kEnergy, 3600},
    Unit{"kWh", Dimension::kEnergy, 3.6e6},
    Unit{"W", Dimension::kPower, 1},
    Unit{"mW", Dimension::kPower, 1e-3},
    Unit{"uW", Dimension::kPower, 1e-6},
    Unit{"/s", Dimension::kHazard, 1},
    Unit{"/min", Dimension::kHazard, 1.0 / 60},
    Unit{"/h", Dimension::kHazard, 1.0 / 3600},
    Unit{"/d", Dimension::kHazard, 1.0 / 86400},
    Unit{"FLOP/s", Dimension::kFlopRate, 1},
    Unit{"MFLOP/s", Dimension::kFlopRate, 1e6},
    Unit{"GFLOP/s", Dimension::kFlopRate, 1e9},
    Unit{"TFLOP/s", Dimension::kFlopRate, 1e12},
    Unit{"GOP/s", Dimension::kFlopRate, 1e9},
    Unit{"TOP/s", Dimension::kFlopRate, 1e12},
};

struct Words {
  std::string_view unit_of, is_a, expected, units, example;
};

// How the messages speak of each dimension, in the order of the enum.
constexpr std::array<Words, 7> kWords{{
    {"bytes", "a number of bytes", "bytes such as \"20 MB\"", "B, kB, MB, GB, KiB, MiB, GiB", "MB"},
    {"rate", "a rate", "a rate such as \"20 Mbps\"", "kbps, Mbps, Gbps, MB/s", "Mbps"},
    {"time", "a time", "a time such as \"10 min\"", "s, min, h, d", "s"},
    {"energy", "an energy", "an energy such as \"2 kJ\"", "J, kJ, MJ, Wh", "J"},
    {"power", "a power", "a power such as \"3 W\"", "mW, W", "W"},
    {"rate of events", "a rate of events", "a rate of events such as \"0.02 /h\"",
     "/s, /min, /h, /d", "/h"},
    {"speed", "a speed", "a speed such as \"100 GFLOP/s\"", "MFLOP/s, GFLOP/s, TFLOP/s, TOP/s",
     "GFLOP/s"},
}};

const Words& words(Dimension d) { return kWords[static_cast<std::size_t>(d)]; }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string unknown_unit(std::string_view text, std::string_view unit, Dimension dimension) {
  if (same_letters(unit, "gb")) {
    return fmt::format("\"{}\": unknown unit; GB is 10^9 bytes, GiB 2^30", text);
  }
  for (const Unit& u : kUnits) {
    if (u.dimension == dimension && same_letters(u.symbol, unit)) {
      return fmt::format("\"{}\": unknown unit \"{}\"; did you mean \"{}\"?", text, unit, u.symbol);
    }
  }
  return fmt::format("\"{}\": unknown unit \"{}\"; expected {}", text, unit,
                     words(dimension).units);
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const bool plus = text.starts_with('+');
  if (plus) text.remove_prefix(1);
  if (text.empty() || !(std::isdigit(static_cast<unsigned char>(text[0])) || text[0] == '.' ||
                        (text[0] == '-' && !plus))) {
    return std::nullopt;  // no "inf", no "nan"
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

Measure parse_measure(std::string_view raw, Dimension dimension, std::string_view example) {
  const std::string_view text = trimmed(raw);
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) {
    return {0, fmt::format("\"{}\" is no number with a unit; expected {}", text,
                           words(dimension).expected)};
  }
  const std::string_view unit =
      trimmed({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  if (unit.empty()) {
    return {0, fmt::format("\"{}\" needs a unit of {}: {}; did you mean \"{} {}\"?", text,
                           words(dimension).unit_of, words(dimension).units, text,
                           example.empty() ? words(dimension).example : example)};
  }
  for (const Unit& u : kUnits) {
    if (u.symbol != unit) continue;
    if (u.dimension == dimension) return {value * u.factor, ""};
    return {0, fmt::format("\"{}\" is {}; expected {}", text, words(u.dimension).is_a,
                           words(dimension).expected)};
  }
  return {0, unknown_unit(text, unit, dimension)};
}

std::string print_measure(double value, Dimension dimension) {
  const Unit* best = nullptr;
  for (const Unit& u : kUnits) {
    if (u.dimension != dimension) continue;
    const double count = value / u.factor;
    const bool binary = u.symbol.find('i') != std::string_view::npos && u.symbol != "min";
    if (binary || u.symbol.find("OP/s") != std::string_view::npos) {
      if (binary || dimension != Dimension::kFlopRate) continue;
    }
    if (dimension == Dimension::kRate && u.symbol.find('B') != std::string_view::npos) continue;
    if (count != std::floor(count) || count < 1) continue;
    if (count * u.factor != value) continue;  // must read back to the last bit
    if (best == nullptr || u.factor > best->factor) best = &u;
  }
  if (best == nullptr) {
    for (const Unit& u : kUnits) {
      if (best == nullptr && u.dimension == dimension) best = &u;
    }
  }
  return fmt::format("{} {}", value / best->factor, best->symbol);
}

}  // namespace skiff
