// The numbers of a run: runs client jobs for accepted attempts, aggregates, keeps the versions.
//
// It sees no clock and no event: which attempts count is decided by the protocol beforehand, so
// the trace does not depend on when, where or in which order jobs are computed. A client's state
// changes only by commit(), for accepted updates.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/core/task_pool.h"
#include "sim/federation/attempt.h"
#include "sim/federation/client_states.h"
#include "sim/federation/preparer.h"
#include "sim/federation/setup.h"

namespace skiff {

// What came out of one client job.
struct JobResult {
  Message upload;
  ClientState state;
  double train_loss = kNotMeasured;
  double contraction = kNotMeasured;
  bool finite = true;
};

class Learner {
 public:
  explicit Learner(const FederationSetup& setup);

  const Server& server() const { return *server_; }
  // The model that a client uses itself, if that is not the server's.
  std::optional<Vector> personal_model(ClientId client) const;

  // The round has begun: results of the last one are forgotten.
  void begin_round();
  // An attempt starts to train: with the eager policy its job is submitted now.
  void training_started(AttemptId attempt, const Assignment& task);
  // The round was closed with these reports: computes them, aggregates the finite ones in
  // client-id order, commits their clients' states. Fills Attempt::train_loss, and sets cause
  // kNotFinite where an update blew up.
  void finish_round(std::vector<Attempt>& attempts, std::vector<AttemptId> accepted);

  // What the devices of a plan hold of the present version; null: the master as it is.
  std::shared_ptr<const Model> prepared(std::size_t plan) {
    return preparer_.prepared(*server_, plan);
  }
  // What is left of the model when the plan's compressors of the end have acted.
  Model at_end(std::size_t plan) const { return preparer_.at_end(*server_, plan); }
  // The weights that this is worth, for a plan that compresses: adapters merged.
  Vector held(std::size_t plan);

  // Bytes that a client keeps on its flash between participations.
  Bytes client_state_bytes(const Plan& plan) const;

 private:
  // What all clients of a plan are told in one version, encoded and decoded once.
  struct Broadcast {
    std::int64_t version = -1;
    const Parametrization* adaptation = nullptr;  // of the version's space
    const Architecture* architecture = nullptr;   // of what was said
    std::shared_ptr<const Message> message;
    std::shared_ptr<const Vector> received;
  };
  struct Job {
    Assignment task;
    Broadcast said;
    JobResult result;  // its state starts as the client's
  };
  struct Scratch {
    Workspace workspace;
    std::vector<std::unique_ptr<Weights>> weights;  // by plan
  };

  Broadcast say_to(const Assignment& task);
  void enter_space(Server& next) const;
  std::unique_ptr<Job> prepare(const Assignment& task);
  void run(Job& job);
  void check_sizes(const Message& message, const std::vector<Section>& declared) const;
  // The jobs of these attempts, done.
  std::vector<std::unique_ptr<Job>> compute(const std::vector<Attempt>& attempts,
                                            const std::vector<AttemptId>& accepted);
  double weight_of(const Assignment& task) const;

  const FederationSetup& setup_;
  std::shared_ptr<const Server> server_;
  bool keeps_state_ = false;
  ClientStates states_;
  Preparer preparer_;
  std::vector<Broadcast> broadcasts_;        // by plan
  std::vector<Scratch> scratch_;             // by worker
  std::vector<std::unique_ptr<Job>> eager_;  // by attempt, submitted to the pool
  TaskPool pool_;
};

// Version 0: initialised weights, and the method's own start; setup.start if there is one.
Server initial_server(const FederationSetup& setup);

}  // namespace skiff
