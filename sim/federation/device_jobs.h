// The life of the attempts of one round: downloads, work, uploads, and what goes wrong in between.
//
// Driven by events alone; knows nothing of rounds. It tells an observer when an attempt starts to
// train, has reported, or is lost. Durations, energies and verdicts come from devices/. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/engine.h"
#include "sim/federation/attempt.h"
#include "sim/federation/device_book.h"
#include "sim/federation/server_links.h"
#include "sim/federation/setup.h"

namespace skiff {

class AttemptObserver {
 public:
  virtual ~AttemptObserver() = default;
  virtual void training_started(AttemptId attempt) = 0;
  virtual void reported(AttemptId attempt) = 0;  // its upload is complete
  virtual void lost(AttemptId attempt) = 0;      // it will never report; Attempt::cause says why
};

class DeviceJobs {
 public:
  DeviceJobs(Engine& engine, const FederationSetup& setup, AttemptObserver& observer);

  // Selects the device now. It must not be busy.
  AttemptId start(const Assignment& task);
  // The round is closed: stops every attempt that is still running, as kCut.
  void cut_all();
  // Forgets the attempts of the last round.
  void clear() { attempts_.clear(); }

  std::vector<Attempt>& attempts() { return attempts_; }
  DeviceBook& book() { return book_; }
  const DeviceBook& book() const { return book_; }

 private:
  void on_timer(const Event& event);
  void on_link(const Event& event);

  void begin_transfer(AttemptId id, Direction direction);
  void begin_load(AttemptId id);
  void begin_training(AttemptId id);
  void phase_ended(AttemptId id);
  void transfer_ended(AttemptId id);
  // The phase ends by itself at `end`, unless something fails before.
  void wait(AttemptId id, VirtualTime end);
  void fail(AttemptId id, Cause cause);
  void finish(AttemptId id, AttemptPhase phase);
  // Books what the present transfer has taken until now.
  void settle_transfer(AttemptId id, bool complete);
  bool dies_in(AttemptId id, JobPhase phase);

  DeviceRecord& record(const Attempt& a) { return book_.at(a.task.device); }

  Engine& engine_;
  const FederationSetup& setup_;
  AttemptObserver& observer_;
  DeviceBook book_;
  ServerLinks links_;
  std::vector<Attempt> attempts_;
};

}  // namespace skiff
