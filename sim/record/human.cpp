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
    // Entries stand two spaces apart: rather break there, if that does not waste half a line.
    std::size_t cut = text.rfind("  ", width - margin);
    if (cut == std::string_view::npos || cut < width / 2) cut = text.rfind(' ', width - margin);
    // The indentation of the first line is no place to break.
    const std::size_t first_word = text.find_first_not_of(' ');
    if (cut == std::string_view::npos || cut < first_word) cut = text.find(' ', first_word);
    if (cut == std::string_view::npos) break;
    std::string_view line = text.substr(0, cut);
    out += line.substr(0, line.find_last_not_of(' ') + 1);
    out += '\n';
    out.append(indent, ' ');
    margin = indent;
    text = text.substr(text.find_first_not_of(' ', cut));
  }
  return out.append(text);
}

}  // namespace skiff
