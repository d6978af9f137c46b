#include "sim/live/live_server.h"

// clang-format off
#include <utility>  // Boost 1.74 needs it and forgets it
// clang-format on
#include <live_page.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <thread>
#include <vector>

#include "sim/core/error.h"
#include "sim/live/event_log.h"

namespace skiff {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostWatchers = 32;
constexpr std::size_t kPiece = 64 * 1024;  // bytes of events in one write
constexpr milliseconds kGlance(200);       // how often a watcher who has everything looks again
constexpr seconds kPatience(30);           // for a request, and for a write to be taken

struct Shared {
  EventLog log;
  const char* page = nullptr;
  std::string port;
  bool anybody = false;  // told to listen to other hosts
  std::size_t watchers = 0;
};

// The name without the port: "127.0.0.1" of "127.0.0.1:8080", "[::1]" of "[::1]:8080".
bool is_this_machine(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

// One connection: one request, then a page or a stream of events, then the end.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), shared_(shared) {
    ++shared_.watchers;
  }
  ~Session() { --shared_.watchers; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    stream_.expires_after(kPatience);
    parser_.header_limit(8 * 1024);
    parser_.body_limit(1024);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    const auto& request = parser_.get();
    if (!shared_.anybody && !is_this_machine(std::string(request[http::field::host]))) {
      return reply(http::status::forbidden, "text/plain", "not for this host\n");
    }
    if (request.method() != http::verb::get) {
      return reply(http::status::method_not_allowed, "text/plain", "only GET\n");
    }
    if (shared_.watchers > kMostWatchers) {
      return reply(http::status::service_unavailable, "text/plain", "too many watchers\n");
    }
    const std::string target(request.target());
    if (target == "/") return reply(http::status::ok, "text/html; charset=utf-8", shared_.page);
    if (target == "/healthz") return reply(http::status::ok, "text/plain", "ok\n");
    if (target == "/events") return begin_events(std::string(request["Last-Event-ID"]));
    reply(http::status::not_found, "text/plain", "no such page\n");
  }

  void reply(http::status status, const char* type, std::string body) {
    response_ = http::response<http::string_body>(status, 11, std::move(body));
    response_.set(http::field::content_type, type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("Content-Security-Policy",
                  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                  "connect-src 'self'");
    response_.set("X-Content-Type-Options", "nosniff");
    response_.keep_alive(false);
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](error_code, std::size_t) {
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  void begin_events(const std::string& last) {
    std::uint64_t seen = 0;
    const auto read = std::from_chars(last.data(), last.data() + last.size(), seen);
    if (!last.empty() && read.ec == std::errc()) next_ = seen + 1;
    piece_ =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\nretry: 1000\n\n";
    write();
  }

  void write() {
    stream_.expires_after(kPatience);
    asio::async_write(stream_, asio::buffer(piece_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (!error) self->next();
                      });
  }

  void next() {
    piece_ = shared_.log.since(next_, kPiece);
    if (!piece_.empty()) return write();
    stream_.expires_never();
    timer_.expires_after(kGlance);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->glance();
    });
  }

  // A comment now and then finds out who has gone.
  void glance() {
    if (++glances_ % 50 == 0) {
      piece_ = ": still here\n\n";
      return write();
    }
    next();
  }

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  Shared& shared_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::string piece_;
  std::uint64_t next_ = 0;
  std::uint64_t glances_ = 0;
};

}  // namespace

struct LiveServer::Impl {
  Impl(const Options& options, LivePage page) : acceptor(context) {
    shared.page = page == LivePage::kSweep ? kLiveSweepPage : kLiveRunPage;
    try {
      const tcp::endpoint place(asio::ip::make_address(options.address), options.port);
      acceptor.open(place.protocol());
      acceptor.set_option(asio::socket_base::reuse_address(true));
      acceptor.bind(place);
      acceptor.listen();
    } catch (const boost::system::system_error& error) {
      throw RunError("cannot listen on " + options.address + ":" + std::to_string(options.port) +
                     ": " + error.code().message());
    }
    shared.anybody = !acceptor.local_endpoint().address().is_loopback();
    accept();
    thread = std::thread([this] { context.run(); });
  }
  ~Impl() {
    context.stop();
    thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Session>(std::move(socket), shared)->read();
      if (error != asio::error::operation_aborted) accept();
    });
  }

  Shared shared;  // outlives the sessions, which end with the context
  asio::io_context context{1};
  tcp::acceptor acceptor;
  std::thread thread;
};

LiveServer::LiveServer(const Options& options, LivePage page)
    : impl_(std::make_unique<Impl>(options, page)) {}

LiveServer::~LiveServer() = default;

std::string LiveServer::url() const {
  const tcp::endpoint place = impl_->acceptor.local_endpoint();
  return "http://" + place.address().to_string() + ":" + std::to_string(place.port()) + "/";
}

void LiveServer::publish(const std::string& kind, const std::string& json) {
  impl_->shared.log.append(kind, json);
}

}  // namespace skiff
