#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/address.hpp"

namespace loopbench::test {

using Bytes = std::span<const std::byte>;

/// A connection as the server sees it.
struct Peer {
    int descriptor;
    std::size_t number;           ///< in the order of accepting
    std::uint64_t received = 0;   ///< bytes, with those just handed over
    std::vector<std::byte> kept;  ///< for the handler's use

    /// Blocks until everything is sent; false when the other end is gone.
    bool send(Bytes bytes) const {
        while (!bytes.empty()) {
            const ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        return true;
    }
};

/// A small server on a thread of its own, for clients under test. What it does with what it
/// receives is the handler's decision, which runs on that thread; false closes the connection.
class TestServer {
  public:
    using Handler = std::function<bool(TestServer&, Peer&, Bytes)>;

    TestServer(const std::string& listen_on, Handler handler, int backlog = 4096)
        : handler_(std::move(handler)), stop_(eventfd(0, EFD_CLOEXEC)) {
        Address address = parse_address(listen_on);
        if (listen_on.starts_with("unix:")) path_ = listen_on.substr(5);
        listener_ = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (bind(listener_, address.data(), address.length) != 0 ||
            listen(listener_, backlog) != 0) {
            throw std::runtime_error("cannot listen on " + listen_on);
        }
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
        address_ = format_address(address);
        thread_ = std::thread([this] { serve(); });
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer() {
        stop();
        for (const auto& peer : peers_) close(peer->descriptor);
        close(listener_);
        close(stop_);
        if (!path_.empty()) unlink(path_.c_str());
    }

    const std::string& address() const { return address_; }
    /// Ends the thread: what it has written may be read then.
    void stop() {
        if (!thread_.joinable()) return;
        eventfd_write(stop_, 1);
        thread_.join();
    }
    /// Every connection accepted, the closed ones too. For the handler, or after `stop`.
    std::vector<std::unique_ptr<Peer>>& peers() { return peers_; }
    std::uint64_t received() const {
        std::uint64_t sum = 0;
        for (const auto& peer : peers_) sum += peer->received;
        return sum;
    }

  private:
    void serve() {
        std::vector<pollfd> watched{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (;;) {
            poll(watched.data(), watched.size(), -1);
            if (watched[0].revents != 0) return;
            for (std::size_t i = 2; i < watched.size(); ++i) {
                if (watched[i].revents != 0 && !serve_one(*peers_[i - 2])) watched[i].fd = -1;
            }
            if (watched[1].revents != 0) {
                const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                if (descriptor < 0) continue;
                peers_.push_back(std::make_unique<Peer>(Peer{descriptor, peers_.size(), 0, {}}));
                watched.push_back({descriptor, POLLIN, 0});
            }
        }
    }

    bool serve_one(Peer& peer) {
        const ssize_t count = recv(peer.descriptor, buffer_.data(), buffer_.size(), 0);
        if (count > 0) {
            peer.received += static_cast<std::uint64_t>(count);
            if (handler_(*this, peer, Bytes(buffer_.data(), static_cast<std::size_t>(count)))) {
                return true;
            }
        }
        shutdown(peer.descriptor, SHUT_RDWR);
        return false;
    }

    Handler handler_;
    int stop_;
    int listener_ = -1;
    std::string path_;
    std::string address_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::array<std::byte, 64 * 1024> buffer_;
    std::thread thread_;
};

}  // namespace loopbench::test
