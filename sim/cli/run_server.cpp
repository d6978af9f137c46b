#include "sim/cli/run_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "sim/cli/run_one.h"
#include "sim/core/error.h"

namespace skiff::cli {
namespace {

constexpr int kGlance_ms = 5;  // how often the server looks for runs that ended

struct Order {
  enum What { kStart, kInterrupt } what = kStart;
  std::size_t job = 0, threads = 0;
};

RunError failure(const char* what) {
  return RunError(std::string(what) + ": " + std::strerror(errno));
}

void die_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it was quicker
}

[[noreturn]] void be_run(const RunJobs& jobs, const Order& order, int news, pid_t parent) {
  die_with_parent(parent);
  watch_signals();
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the whole group; the sweep passes it on
  const int log =
      ::open(jobs.log_file(order.job).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // in the order of what happened
  }
  const int code = jobs.work(order.job, order.threads, [&](RunNews news_of_round) {
    news_of_round.job = static_cast<std::uint32_t>(order.job);
    // Whole or not at all: shorter than PIPE_BUF, and a full pipe drops it.
    [[maybe_unused]] const ssize_t n = ::write(news, &news_of_round, sizeof news_of_round);
  });
  std::fflush(nullptr);
  ::_exit(code);
}

// The server's own children, and what it is told to do with them.
class Runs {
 public:
  Runs(const RunJobs& jobs, int orders, int news) : jobs_(jobs), orders_(orders), news_(news) {}

  void obey(const Order& order) {
    if (order.what == Order::kInterrupt) {
      for (const auto& [child, job] : children_) ::kill(child, SIGTERM);
      return;
    }
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) be_run(jobs_, order, news_, self);
    if (child < 0) return tell({order.job, 128});
    children_[child] = order.job;
  }

  void collect() {
    int status = 0;
    for (pid_t child = 0; (child = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = children_.find(child);
      if (found == children_.end()) continue;
      tell({found->second, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)});
      children_.erase(found);
    }
  }

 private:
  void tell(const RunServer::Ended& end) const {
    if (::send(orders_, &end, sizeof end, MSG_NOSIGNAL) < 0) ::_exit(1);  // nobody is left
  }

  const RunJobs& jobs_;
  int orders_, news_;
  std::map<pid_t, std::size_t> children_;
};

}  // namespace

RunServer::RunServer(RunJobs jobs) : jobs_(std::move(jobs)) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw failure("no socket for the runs");
  }
  if (::pipe2(news_, O_NONBLOCK | O_CLOEXEC) != 0) throw failure("no pipe for the runs");
  std::fflush(nullptr);  // or the runs would print it again
  const pid_t parent = ::getpid();
  server_ = ::fork();
  if (server_ < 0) throw failure("cannot start a process");
  if (server_ == 0) {
    die_with_parent(parent);
    ::close(ends[0]);
    serve(ends[1]);
  }
  ::close(ends[1]);
  orders_ = ends[0];
}

RunServer::~RunServer() {
  ::kill(server_, SIGKILL);  // its runs die with it
  ::waitpid(server_, nullptr, 0);
  for (const int file : {orders_, news_[0], news_[1]}) ::close(file);
}

void RunServer::serve(int orders) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);  // it stays until its runs have ended
  Runs runs(jobs_, orders, news_[1]);
  for (pollfd wait{orders, POLLIN, 0};;) {
    if (::poll(&wait, 1, kGlance_ms) > 0) {
      Order order;
      if (::recv(orders, &order, sizeof order, 0) != sizeof order) ::_exit(0);
      runs.obey(order);
    }
    runs.collect();
  }
}

void RunServer::start(std::size_t job, std::size_t threads) {
  const Order order{Order::kStart, job, threads};
  if (::send(orders_, &order, sizeof order, MSG_NOSIGNAL) < 0) throw failure("cannot start a run");
  ++at_work_;
}

void RunServer::interrupt() {
  const Order order{Order::kInterrupt};
  ::send(orders_, &order, sizeof order, MSG_NOSIGNAL);
}

std::vector<RunServer::Ended> RunServer::ended() {
  std::vector<Ended> list;
  for (Ended end;;) {
    const ssize_t n = ::recv(orders_, &end, sizeof end, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      throw RunError("the process that starts the runs has died");
    }
    if (n < 0) return list;
    --at_work_;
    list.push_back(end);
  }
}

std::vector<RunNews> RunServer::news() {
  std::vector<RunNews> list;
  for (RunNews one; ::read(news_[0], &one, sizeof one) == sizeof one;) list.push_back(one);
  return list;
}

}  // namespace skiff::cli
