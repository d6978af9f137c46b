#include "sim/record/human.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace skiff {
namespace {

struct Step {
  double size;
  std::string_view symbol;
};
constexpr std::array<Step, 4> kByteSteps{{{1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}}};

// The last step whose number, as it will be printed, is at least 1.
const Step& step_for(double bytes) {
  const Step* chosen = kByteSteps.data();
  for (const Step& step : kByteSteps) {
    if (bytes >= 0.9995 * step.size) chosen = &step;
  }
  return *chosen;
}

// Where a line of at most `width` columns ends best: between two entries (two spaces), after a
// comma outside of brackets, after a comma, at any space; each if that does not waste half of the
// line.
std::size_t place_to_break(std::string_view text, std::size_t width) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t entry = 0, outer_comma = 0, comma = 0, space = 0;
  int depth = 0;
  const std::size_t first_word = text.find_first_not_of(' ');
  for (std::size_t i = first_word; i <= width && i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] != ' ' || text[i - 1] == ' ') continue;
    space = i;
    if (i + 1 < text.size() && text[i + 1] == ' ') entry = i;
    if (text[i - 1] != ',') continue;
    comma = i;
    if (depth == 0) outer_comma = i;
  }
  for (const std::size_t cut : {entry, outer_comma, comma}) {
    if (2 * cut >= width) return cut;
  }
  return space > 0 ? space : first_word == kNone ? kNone : text.find(' ', first_word);
}

}  // namespace

std::string grouped(std::uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string human(Bytes bytes) {
  const double b = as_double(bytes);
  if (b < 1000) return fmt::format("{} B", bytes.value());
  const Step& step = step_for(b);
  return fmt::format("{:.1f} {}", b / step.size, step.symbol);
}

std::string human_short(Bytes bytes) {
  const double b = as_double(bytes);
  if (b < 1000) return fmt::format("{} B", bytes.value());
  const Step& step = step_for(b);
  const double count = b / step.size;
  return fmt::format("{:.{}f} {}", count, count < 9.95 ? 1 : 0, step.symbol);
}

std::string human(Seconds time) {
  const double s = time.value();
  if (!std::isfinite(s)) return "never";
  if (s < 9.95) return fmt::format("{:.1f} s", s);
  if (s < 99.5) return fmt::format("{:.0f} s", s);
  if (s < 3600) return fmt::format("{:.1f} min", s / 60);
  if (s < 48 * 3600) return fmt::format("{:.1f} h", s / 3600);
  return fmt::format("{:.1f} d", s / 86400);
}

std::string human_metric(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  if (size != 0 && size < 0.001) return fmt::format("{:.1e}", value);
  if (size < 10) return fmt::format("{:.3f}", value);
  return fmt::format("{:.{}f}", value, size < 1000 ? 2 : 0);
}

EnergyUnit energy_unit(Joules energy) {
  const double j = energy.value();
  if (j < 1000) return {"J", 1};
  if (j < 1e6) return {"kJ", 1e3};
  if (j < 1e9) return {"MJ", 1e6};
  return {"GJ", 1e9};
}

std::string human(Joules energy) {
  const EnergyUnit unit = energy_unit(energy);
  return fmt::format("{:.1f} {}", energy.value() / unit.joules, unit.symbol);
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t margin = 0;
  while (text.size() + margin > width) {
    const std::size_t cut = place_to_break(text, width - margin);
    if (cut == std::string_view::npos) break;
    const std::string_view line = text.substr(0, cut);
    out += line.substr(0, line.find_last_not_of(' ') + 1);
    out += '\n';
    out.append(indent, ' ');
    margin = indent;
    text = text.substr(text.find_first_not_of(' ', cut));
  }
  return out.append(text);
}

}  // namespace skiff
