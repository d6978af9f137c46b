#include "sim/core/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace skiff {

std::vector<CatalogueEntry>& catalogue_storage() {
  static std::vector<CatalogueEntry> entries;
  return entries;
}

std::vector<CatalogueEntry> catalogue() {
  std::vector<CatalogueEntry> sorted = catalogue_storage();
  std::sort(sorted.begin(), sorted.end(), [](const CatalogueEntry& a, const CatalogueEntry& b) {
    return std::tie(a.role, a.about.family, a.about.name) <
           std::tie(b.role, b.about.family, b.about.name);
  });
  return sorted;
}

namespace {
std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
  return text;
}
}  // namespace

namespace {

struct Seat {
  std::string_view role, what;
};

// Where the algorithms of each role are written, to send a word to its place.
constexpr std::array kSeats{
    Seat{"method", "decides local steps and averaging: it is a training.method"},
    Seat{"optimizer", "moves the weights: it is a training.optimizer"},
    Seat{"quantization", "changes what a device holds: it is a compression.quantization"},
    Seat{"pruning", "removes weights: it is a compression.pruning"},
    Seat{"adaptation", "decides what is trained: it is a compression.adaptation"},
    Seat{"communication", "encodes what the wire carries: it is a compression.communication"},
    Seat{"distillation", "teaches students: it is a compression.distillation"},
    Seat{"planner", "gives plans to devices: it is a compression.planner"},
    Seat{"protocol", "decides when reports are averaged: it is a server.protocol"},
};

// "sparse-proxskip decides local steps and averaging: it is a training.method"
std::string seat_of(const std::string& name, const std::string& role) {
  for (const CatalogueEntry& entry : catalogue_storage()) {
    const std::string& own = entry.about.family.empty() ? entry.role : entry.about.family;
    if (entry.about.name != name || own == role) continue;
    for (const Seat& seat : kSeats) {
      if (seat.role == own) return fmt::format("{} {}", name, seat.what);
    }
  }
  return "";
}

std::string list_command(const std::string& role) {
  if (role == "data") return "skiff list data";
  if (role == "model") return "skiff list models";
  return "skiff list algorithms --role " + role;
}

}  // namespace

std::string unknown_name_message(const std::string& name, const std::string& role,
                                 const std::vector<std::string>& allowed) {
  std::string seat = seat_of(name, role);
  if (!seat.empty()) return seat;
  const std::string near = nearest_word(name, allowed);
  return fmt::format("\"{}\" unknown; {}{}; allowed: {}", name,
                     near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near),
                     list_command(role), listed(allowed));
}

std::string unknown_key_message(const std::string& key, const std::vector<std::string>& allowed) {
  const std::string near = nearest_word(key, allowed);
  return fmt::format("unknown key; {}allowed: {}",
                     near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near),
                     listed(allowed));
}

}  // namespace skiff
