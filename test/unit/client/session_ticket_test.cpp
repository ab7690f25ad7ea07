#include "zkrecipes/session_ticket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "client/access.hpp"

namespace zkr {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class session_ticket_file : public ::testing::Test {
 protected:
  session_ticket_file() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zkr-ticket-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    file = folder / "ticket";
  }
  ~session_ticket_file() override { std::filesystem::remove_all(folder); }

  void write(const std::string& text) const {
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms{0600});
  }

  std::filesystem::path folder;
  std::string file;
  session_ticket ticket{-0x77, {'s', 'e', 'c', 'r', 'e', 't', '\0', '\xff', '\n', ' ', '\x80', 1, 2, 3, 4, 5}};
};

TEST_F(session_ticket_file, gives_back_what_was_saved) {
  ASSERT_TRUE(ticket.save(file));
  const auto read = session_ticket::load(file);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->id(), -0x77);
  EXPECT_EQ(client_access::secret(*read), client_access::secret(ticket));
}

TEST_F(session_ticket_file, is_its_owners_alone_and_replaces_another_whole) {
  write("something much longer than a ticket, which others may read" + std::string(1000, '.'));
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  const auto before = ::umask(0);
  ASSERT_TRUE(ticket.save(file));
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600});
  EXPECT_TRUE(session_ticket::load(file));
  // Nothing else is left there.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(session_ticket_file, what_cannot_be_written_or_read_is_named) {
  const auto nowhere = (folder / "none" / "ticket").string();
  EXPECT_EQ(ticket.save(nowhere).error().code(), errc::io_error);
  EXPECT_THAT(ticket.save(nowhere).error().message(), HasSubstr(nowhere));
  EXPECT_EQ(session_ticket::load(nowhere).error().code(), errc::io_error);
  EXPECT_THAT(session_ticket::load(nowhere).error().message(), HasSubstr(nowhere));
  std::filesystem::create_directory(file);
  EXPECT_EQ(ticket.save(file).error().code(), errc::io_error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(session_ticket_file, others_access_is_refused) {
  ASSERT_TRUE(ticket.save(file));
  for (const auto mode : {0640U, 0604U, 0660U}) {
    std::filesystem::permissions(file, std::filesystem::perms{mode});
    const auto read = session_ticket::load(file);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), errc::invalid_argument);
    EXPECT_THAT(read.error().message(), HasSubstr("0600"));
  }
}

TEST_F(session_ticket_file, what_is_no_ticket_is_refused_and_not_repeated) {
  ASSERT_TRUE(ticket.save(file));
  std::string good;
  std::getline(std::ifstream(file), good);
  good += '\n';
  write(good);
  ASSERT_TRUE(session_ticket::load(file));
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = '~';
    write(bad);
    const auto read = session_ticket::load(file);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().code(), errc::invalid_argument);
    EXPECT_THAT(read.error().message(), Not(HasSubstr("73656372")));  // "secr"
    write(good.substr(0, at));
    EXPECT_FALSE(session_ticket::load(file)) << at;
  }
  write(good + "x");
  EXPECT_FALSE(session_ticket::load(file));
  write("zkrecipes-session 1 " + std::string(16, '0') + " " + std::string(32, '0') + "\n");  // no session's id
  EXPECT_FALSE(session_ticket::load(file));
}

}  // namespace
}  // namespace zkr
