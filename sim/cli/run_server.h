// Starts runs in processes of their own: one that crashes or runs out of memory takes no other
// along.
//
// The runs are forked by a process that is itself forked in the constructor, before there are any
// threads (of a live page, of MPI): they start from what was loaded until then and inherit no
// socket. A run's output goes to its log. All of them die with the process that made the server,
// however it dies. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/live/run_news.h"

namespace skiff::cli {

struct RunJobs {
  // In the run's process: does job i with so many threads and returns its exit code.
  std::function<int(std::size_t i, std::size_t threads, const std::function<void(RunNews)>& tell)>
      work;
  std::function<std::string(std::size_t i)> log_file;
};

class RunServer {
 public:
  struct Ended {
    std::size_t job = 0;
    int code = 0;  // of exit; 128 + signal if one ended it
  };

  explicit RunServer(RunJobs jobs);
  ~RunServer();  // kills what is at work
  RunServer(const RunServer&) = delete;
  RunServer& operator=(const RunServer&) = delete;

  void start(std::size_t job, std::size_t threads);
  std::size_t at_work() const { return at_work_; }
  // Asks the runs at work to end cleanly (SIGTERM).
  void interrupt();
  // What has come since the last call. News that nobody fetched in time are lost, ends never.
  // Throws RunError if the process that starts runs has died.
  std::vector<Ended> ended();
  std::vector<RunNews> news();

 private:
  [[noreturn]] void serve(int orders);

  RunJobs jobs_;
  int orders_ = -1;         // to the server and back: packets
  int news_[2] = {-1, -1};  // a pipe that all runs write into
  pid_t server_ = -1;
  std::size_t at_work_ = 0;
};

}  // namespace skiff::cli
