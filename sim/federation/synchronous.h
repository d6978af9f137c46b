// Synchronous rounds: select, wait, close, aggregate, record; then the next.
//
//   kSelecting: devices that are online are invited at once, in a random order; where too few are,
//   those that come online next join until the select timeout. kCollecting is the same state with
//   nobody left to wait for. The round closes at the wanted report, at the deadline, or when nobody
//   is left who could report. Reports that end exactly at the deadline count. When it closes, the
//   server tells the devices still at work to stop: they are late, and what they sent is wasted.
//   (Bonawitz et al. 2019, sections 2.2 and 3.1; arXiv:1902.01046.)
// A device that the planner refuses is recorded and another is drawn in its place.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/engine.h"
#include "sim/federation/assigner.h"
#include "sim/federation/device_jobs.h"
#include "sim/federation/evaluator.h"
#include "sim/federation/learner.h"
#include "sim/record/recorder.h"

namespace skiff {

class SynchronousServer final : public AttemptObserver {
 public:
  // learner and evaluator are null in timing-only runs.
  SynchronousServer(Engine& engine, const FederationSetup& setup, Learner* learner,
                    const Evaluator* evaluator, Recorder& recorder,
                    std::function<void(RoundRow&)> on_round);

  void start();  // schedules the first round
  const DeviceBook& book() const { return jobs_.book(); }
  std::uint32_t rounds_done() const { return rounds_done_; }

 private:
  struct Candidate {
    VirtualTime online;
    std::uint32_t device;
    bool operator<(const Candidate& o) const {
      return std::pair(online, device) < std::pair(o.online, o.device);
    }
  };

  void on_round_start(const Event& event);
  void on_check_in(const Event& event);
  void on_select_timeout(const Event& event);
  void on_deadline(const Event& event);
  void training_started(AttemptId attempt) override;
  void reported(AttemptId attempt) override;
  void lost(AttemptId attempt) override;

  void select();
  void consider(std::uint32_t device);  // invites, refuses, or puts it on the waiting list
  void refuse(const Verdict& verdict, const DeviceRecord& device);
  void await_next_check_in();
  void close_if_nobody_is_left();
  void close(bool at_deadline);
  const Server& server() const { return learner_ != nullptr ? learner_->server() : sketch_; }
  void learn(std::vector<AttemptId> accepted);
  void record_attempts(bool abandoned, bool at_deadline);
  void record_round();
  void record_tiers(const RoundRow& round);
  // Of what each plan's devices hold, where compressors made it.
  void add_method_figures();
  void evaluate_plans();
  void evaluate_prefixes();
  void evaluate_end();
  void record_layers(const Model& held);
  bool stop_rule_met(const RoundRow& row) const;
  AttemptRow row_of(const Attempt& attempt) const;

  Engine& engine_;
  const FederationSetup& setup_;
  Learner* learner_;
  const Evaluator* evaluator_;
  Recorder& recorder_;
  std::function<void(RoundRow&)> on_round_;
  DeviceJobs jobs_;
  Assigner assigner_;

  std::uint32_t round_ = 0, rounds_done_ = 0;
  Server sketch_;  // what a timing-only run has of a server: its version
  bool open_ = false;
  std::size_t wanted_ = 0;  // devices to invite
  std::size_t invited_ = 0;
  std::size_t running_ = 0;
  std::vector<AttemptId> accepted_;
  std::vector<AttemptRow> refused_;  // of this round
  std::vector<Candidate> waiting_;   // offline, by the time they come online
  std::size_t next_waiting_ = 0;
  std::vector<std::uint32_t> drawn_in_;  // by device: the last round in which it was drawn
  Handle deadline_, timeout_, check_in_;
  RoundRow row_;
  std::vector<StorageSummary> plan_storage_;
  std::vector<Metrics> plan_metrics_;  // of this round, by plan; empty: not measured apart
  Bytes total_up_, total_down_;
  double contraction_ = 0;  // greatest of this round's accepted attempts
  Joules total_energy_;
};

}  // namespace skiff
