#include "sim/cli/sweep_watch.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "sim/cli/command.h"
#include "sim/cli/run_one.h"

namespace skiff::cli {
namespace {

std::string last_line(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

std::vector<LiveSweepRun> rows_of(const Sweep& sweep) {
  std::vector<LiveSweepRun> rows;
  for (const SweepPoint& point : sweep.points()) {
    rows.push_back(
        {point.label, point.scenario.seed, point.done ? "finished before" : "elsewhere"});
  }
  for (const std::size_t i : sweep.todo()) rows[i].state = "waiting";
  return rows;
}

const char* state_after(int code) {
  return code == kOk ? "done" : code == kInterrupted ? "interrupted" : "failed";
}

}  // namespace

SweepWatch::SweepWatch(const Sweep& sweep, const SweepRequest& request)
    : sweep_(sweep),
      quiet_(request.quiet),
      progress_(0, stderr, request.quiet),
      start_(std::chrono::steady_clock::now()),
      fractions_(sweep.points().size(), 0.0),
      thinning_(sweep.points().size()) {
  if (!request.serve) return;
  live_.emplace(*request.serve, LivePage::kSweep);
  fmt::print(stderr, "live at {}\n", live_->url());
  publish("start", live_sweep_start(sweep.name(), rows_of(sweep)));
}

double SweepWatch::wall() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void SweepWatch::say(const std::string& text) {
  progress_.clear();
  fmt::print(stderr, "{}\n", text);
}

void SweepWatch::publish(const char* kind, const std::string& json) {
  if (live_) live_->publish(kind, json);
}

void SweepWatch::header(const std::string& who) {
  if (quiet_) return;
  fmt::print("{}  {} runs, {} finished before, {} to do here; {}\n", sweep_.name(),
             sweep_.points().size(), sweep_.finished_before(), sweep_.todo().size(), who);
  std::fflush(stdout);
}

void SweepWatch::started(std::size_t job, const std::string& where) {
  publish("run", live_sweep_run(job, "running", wall(), where));
}

void SweepWatch::news(const RunNews& news) {
  fractions_[news.job] = news.fraction();
  if (live_ && thinning_.wants(news)) publish("point", live_sweep_point(news, wall()));
}

void SweepWatch::ended(const RunServer::Ended& end) {
  ++ended_;
  fractions_[end.job] = 1;
  const std::string log = sweep_.log_of(end.job);
  const bool failed = end.code != kOk && end.code != kInterrupted;
  const std::string why = failed ? last_line(log) : "";
  publish("run", live_sweep_run(end.job, state_after(end.code), wall(), why));
  if (!failed) return;
  ++failed_;
  say(fmt::format("failed ({}): {}\n  {}\n  see {}", end.code, sweep_.points()[end.job].name(), why,
                  log));
}

void SweepWatch::lost(std::size_t job, const std::string& why) {
  fractions_[job] = 0;
  publish("run", live_sweep_run(job, "waiting", wall(), why));
  say(fmt::format("{}: {}; it is done again", sweep_.points()[job].name(), why));
}

void SweepWatch::tick() {
  double sum = 0;
  for (const std::size_t i : sweep_.todo()) sum += fractions_[i];
  const std::size_t all = sweep_.todo().size();
  progress_.update({all == 0 ? 1.0 : sum / static_cast<double>(all),
                    fmt::format("run {}/{}", ended_, all), "",
                    failed_ > 0 ? fmt::format("{} failed", failed_) : ""});
}

int SweepWatch::finish() {
  progress_.clear();
  sweep_.write_index();
  const int code = was_interrupted() ? kInterrupted : failed_ > 0 ? kRunFailed : kOk;
  publish("end", live_sweep_end(state_after(code), wall()));
  if (!quiet_) {
    fmt::print("{}: index.csv, {} of {} runs ended{}\n", sweep_.folder().string(), ended_,
               sweep_.todo().size(), failed_ > 0 ? fmt::format(", {} failed", failed_) : "");
  }
  std::fflush(stdout);
  return code;
}

}  // namespace skiff::cli
