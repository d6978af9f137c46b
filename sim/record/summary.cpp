#include "sim/record/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/core/metrics.h"
#include "sim/record/human.h"
#include "sim/record/join.h"
#include "sim/record/progress.h"

namespace skiff {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kLabel = 13;  // "  accuracy   "
// The first of these that was measured stands for the run.
constexpr std::array<std::string_view, 9> kHeadlines{
    "test_accuracy", "next_token_accuracy", "masked_accuracy", "macro_f1",  "perplexity",
    "suboptimality", "gradient_norm",       "test_loss",       "train_loss"};

struct Course {
  Tally::Point last, best;
  std::optional<Tally::Point> reached;  // when the target or the milestone was first reached
  double target = kNotMeasured;
};

bool at_least_as_good(double value, double target, bool smaller) {
  return smaller ? value <= target : value >= target;
}

Course course_of(const RunInfo& info, const Tally& tally, std::size_t metric) {
  const auto& points = tally.course(metric);
  const bool smaller = !metric_rises(info.metrics[metric]);
  Course course{points.back(), points.front(), {}, kNotMeasured};
  for (const auto& p : points) {
    if (smaller ? p.value < course.best.value : p.value > course.best.value) course.best = p;
  }
  if (info.target && info.target->first == info.metrics[metric]) {
    course.target = info.target->second;
  } else if (!smaller && course.best.value >= 0.05 && course.best.value <= 1) {
    course.target = std::floor(course.best.value * 20) / 20;  // the last twentieth reached
  }
  for (const auto& p : points) {
    if (course.reached || !at_least_as_good(p.value, course.target, smaller)) continue;
    course.reached = p;
  }
  return course;
}

std::string labelled(std::string_view label, std::string_view text) {
  const char* gap = label.size() < 11 ? "" : "  ";
  return wrapped(fmt::format("  {:<11}{}{}", label, gap, text), kColumns, kLabel) + "\n";
}

std::optional<std::size_t> measured_headline(const RunInfo& info, const Tally& tally) {
  std::vector<std::string> measured;
  for (std::size_t m = 0; m < info.metrics.size(); ++m) {
    measured.push_back(tally.course(m).empty() ? "" : info.metrics[m]);
  }
  return headline_metric(measured);
}

std::string metric_line(const RunInfo& info, const Tally& tally) {
  const auto metric = measured_headline(info, tally);
  if (!metric) return "";
  const Course c = course_of(info, tally, *metric);
  std::string text = fmt::format("final {}   best {} (round {})", human_metric(c.last.value),
                                 human_metric(c.best.value), c.best.round);
  if (c.reached) {
    text += fmt::format("   {} at round {}, {}", human_metric(c.target), c.reached->round,
                        human(to_seconds(c.reached->time)));
  } else if (!std::isnan(c.target)) {
    text += fmt::format("   {} not reached", human_metric(c.target));
  }
  return labelled(short_name(info.metrics[*metric]), text);
}

// What optimizers and methods say of themselves: the last value of each figure.
std::string figures_line(const RunInfo& info, const Tally& tally) {
  const std::vector<std::string>& metrics = metric_names();
  std::vector<std::string> figures;
  for (std::size_t m = 0; m < info.metrics.size(); ++m) {
    const std::string& name = info.metrics[m];
    const bool known = std::find(metrics.begin(), metrics.end(), name) != metrics.end();
    if (known || name == "model_bytes" || tally.course(m).empty()) continue;
    figures.push_back(fmt::format("{} {:.4g}", name, tally.course(m).back().value));
  }
  return figures.empty() ? "" : labelled("figures", join(figures, ", "));
}

std::string bytes_line(const Tally& tally) {
  Bytes wasted;
  std::vector<std::string> why;
  for (std::size_t o = 1; o < kOutcomeWords.size(); ++o) {
    const Bytes b = tally.bytes_up_wasted(static_cast<Outcome>(o));
    wasted += b;
    if (b.value() > 0) why.emplace_back(kOutcomeWords[o]);
  }
  std::string text =
      fmt::format("down {}   up {}", human(tally.bytes_down()), human(tally.bytes_up()));
  if (!why.empty()) {
    text += fmt::format(", of that {} for nothing ({})", human(wasted), join(why, ", "));
  }
  return labelled("bytes", text);
}

std::string energy_line(const Tally& tally) {
  const EnergyParts& e = tally.energy();
  const EnergyUnit unit = energy_unit(e.total());
  const auto part = [&](Joules j) { return fmt::format("{:.1f}", j.value() / unit.joules); };
  return labelled("energy",
                  fmt::format("{}: compute {}, radio {}, flash {}, idle {}", human(e.total()),
                              part(e.compute), part(e.radio), part(e.flash), part(e.idle)));
}

// "refused 112 (ram 98, tier 14)"; a lone cause without its number.
std::string loss_text(const Tally& tally, Outcome outcome) {
  std::string text = fmt::format("{} {}", kOutcomeWords[static_cast<std::size_t>(outcome)],
                                 grouped(tally.attempts(outcome)));
  std::vector<std::string> causes;
  for (std::size_t c = 1; c < kCauseWords.size(); ++c) {
    const std::uint64_t n = tally.attempts(outcome, static_cast<Cause>(c));
    if (n == 0) continue;
    const bool alone = n == tally.attempts(outcome);
    causes.push_back(alone ? std::string(kCauseWords[c])
                           : fmt::format("{} {}", kCauseWords[c], grouped(n)));
  }
  // That the late ones missed a deadline goes without saying.
  if (outcome == Outcome::kAccepted || causes.empty()) return text;
  if (outcome == Outcome::kLate && causes == std::vector<std::string>{"deadline"}) return text;
  return fmt::format("{} ({})", text, join(causes, ", "));
}

std::string attempts_line(const Tally& tally) {
  std::vector<std::string> parts;
  for (std::size_t o = 0; o < kOutcomeWords.size(); ++o) {
    parts.push_back(loss_text(tally, static_cast<Outcome>(o)));
  }
  return labelled("attempts", fmt::format("{}: {}", grouped(tally.attempts()), join(parts, ", ")));
}

std::string class_table(const RunInfo& info, const Tally& tally) {
  std::vector<std::vector<std::string>> rows{
      {"class", "devices", "accepted", "late", "refused", "aborted", "peak RAM", "limit"}};
  for (std::size_t c = 0; c < info.device_classes.size(); ++c) {
    const Tally::OfClass& t = tally.classes()[c];
    if (t.devices == 0) continue;
    std::vector<std::string> row{info.device_classes[c], grouped(t.devices)};
    for (const std::uint64_t n : t.attempts) row.push_back(grouped(n));
    const bool tried = t.peak_memory.value() > 0;
    row.push_back(tried ? human_short(t.peak_memory) : "-");
    row.push_back(t.memory_limit.value() > 0 ? human_short(t.memory_limit) : "-");
    rows.push_back(std::move(row));
  }
  std::array<std::size_t, 8> widths{14, 0, 0, 0, 0, 0, 0, 8};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    text += fmt::format("  {:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) text += fmt::format("  {:>{}}", row[i], widths[i]);
    text += "\n";
  }
  return text;
}

std::string bar_line(const Recorder& recorder) {
  const Tally& tally = recorder.tally();
  std::string text = progress_bar(tally.rounds(), recorder.info().rounds, tally.virtual_time()) +
                     "  " + human(tally.wall_time());
  if (recorder.end().status != RunStatus::kOk) {
    text += "  " + std::string(word(recorder.end().status));
  }
  return text + "\n";
}

}  // namespace

std::string summary_header(const RunInfo& info) {
  std::string text = info.name;
  if (!info.case_name.empty()) text += "/" + info.case_name;
  text += fmt::format("  seed {}", info.seed);
  if (!info.model.empty()) {
    text += fmt::format("  {}, {} parameters", info.model,
                        grouped(static_cast<std::uint64_t>(info.parameters)));
  }
  text += fmt::format("  {} devices", grouped(info.class_of_device.size()));
  if (!info.protocol.empty()) text += "  " + info.protocol;
  text = wrapped(text, kColumns, 2);
  for (const std::string& plan : info.plans) text += "\n  plan " + plan;
  if (!info.heuristics.empty()) {
    text += fmt::format("\nheuristic ({}): no theory covers this combination",
                        join(info.heuristics, ", "));
  }
  return text;
}

std::string summary_body(const Recorder& recorder) {
  const RunInfo& info = recorder.info();
  const Tally& tally = recorder.tally();
  return bar_line(recorder) + metric_line(info, tally) + figures_line(info, tally) +
         bytes_line(tally) + energy_line(tally) + attempts_line(tally) + "\n" +
         class_table(info, tally);
}

std::string summary_tail(const Recorder& recorder, const std::string& folder,
                         std::optional<int> figures) {
  std::string text = folder + ": run.h5";
  if (figures) text += fmt::format(", {} figure{}", *figures, *figures == 1 ? "" : "s");
  text += "   fingerprint " + recorder.end().fingerprint.substr(0, 8);
  text += "   results " + recorder.results_sha256().substr(0, 8);
  text = wrapped(text, kColumns, 2) + "\n";
  const auto& defaults = recorder.info().neutral_defaults;
  if (defaults.empty()) return text;
  return text + wrapped("neutral defaults: " + join(defaults, ", "), kColumns, 2) + "\n";
}

nlohmann::ordered_json summary_json(const Recorder& recorder) {
  const RunInfo& info = recorder.info();
  const Tally& tally = recorder.tally();
  nlohmann::ordered_json json{{"name", info.name},
                              {"case", info.case_name},
                              {"seed", info.seed},
                              {"status", word(recorder.end().status)},
                              {"heuristics", info.heuristics},
                              {"rounds", tally.rounds()},
                              {"virtual_time_s", to_seconds(tally.virtual_time()).value()},
                              {"wall_time_s", tally.wall_time().value()}};
  for (std::size_t m = 0; m < info.metrics.size(); ++m) {
    if (tally.course(m).empty()) continue;
    const Course c = course_of(info, tally, m);
    auto& metric = json["metrics"][info.metrics[m]];
    metric = {{"final", c.last.value}, {"best", c.best.value}, {"best_round", c.best.round}};
    if (info.target && info.target->first == info.metrics[m]) {
      metric["target"] = c.target;
      metric["target_round"] = nullptr;
      if (c.reached) {
        metric["target_round"] = c.reached->round;
        metric["target_virtual_time_s"] = to_seconds(c.reached->time).value();
      }
    }
  }
  const EnergyParts& e = tally.energy();
  json["bytes"] = {{"down", tally.bytes_down().value()}, {"up", tally.bytes_up().value()}};
  json["energy_j"] = {{"total", e.total().value()},
                      {"compute", e.compute.value()},
                      {"radio", e.radio.value()},
                      {"flash", e.flash.value()},
                      {"idle", e.idle.value()}};
  for (std::size_t o = 0; o < kOutcomeWords.size(); ++o) {
    auto& outcome = json["attempts"][std::string(kOutcomeWords[o])];
    outcome["count"] = tally.attempts(static_cast<Outcome>(o));
    for (std::size_t c = 1; c < kCauseWords.size(); ++c) {
      const auto n = tally.attempts(static_cast<Outcome>(o), static_cast<Cause>(c));
      if (n > 0) outcome["causes"][std::string(kCauseWords[c])] = n;
    }
  }
  json["classes"] = nlohmann::ordered_json::array();
  for (std::size_t c = 0; c < info.device_classes.size(); ++c) {
    const Tally::OfClass& t = tally.classes()[c];
    if (t.devices == 0) continue;
    nlohmann::ordered_json row{{"class", info.device_classes[c]}, {"devices", t.devices}};
    for (std::size_t o = 0; o < kOutcomeWords.size(); ++o) {
      row[std::string(kOutcomeWords[o])] = t.attempts[o];
    }
    row["peak_memory"] = t.peak_memory.value();
    row["memory_limit"] = t.memory_limit.value();
    json["classes"].push_back(std::move(row));
  }
  json["fingerprint"] = recorder.end().fingerprint;
  json["results_sha256"] = recorder.results_sha256();
  return json;
}

std::optional<std::size_t> headline_metric(const std::vector<std::string>& metrics) {
  for (const std::string_view wanted : kHeadlines) {
    const auto found = std::find(metrics.begin(), metrics.end(), wanted);
    if (found != metrics.end()) return static_cast<std::size_t>(found - metrics.begin());
  }
  return std::nullopt;
}

std::string short_name(const std::string& metric) {
  std::string name = metric.starts_with("test_") ? metric.substr(5) : metric;
  std::replace(name.begin(), name.end(), '_', ' ');
  if (name == "next token accuracy" || name == "masked accuracy") name = "accuracy";
  return name;
}

}  // namespace skiff
