#include "server/file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "server/memory_file.hpp"

// Both disks behave the same, and the one in memory forgets exactly what was not synced.
namespace zkr::testing {
namespace {

using backend::file;
using backend::file_system;
using backend::memory_file_system;
using backend::open_mode;

struct disk {
  const char* name;
  std::function<std::unique_ptr<file_system>()> make;
};

class disks : public ::testing::TestWithParam<disk> {
 protected:
  disks() : files(GetParam().make()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "zkr-file-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data()) + std::string("/data");
    EXPECT_TRUE(files->make_directory(folder));
  }
  ~disks() override { std::filesystem::remove_all(std::filesystem::path(folder).parent_path()); }

  std::unique_ptr<file> make(const std::string& name, std::string_view bytes) {
    auto made = files->open(folder + "/" + name, open_mode::create).value();
    EXPECT_TRUE(made->write(0, bytes));
    return made;
  }
  std::unique_ptr<file_system> files;
  std::string folder;
};

TEST_P(disks, write_and_read) {
  auto one = make("a", "hello");
  EXPECT_TRUE(one->write(10, "world"));
  EXPECT_TRUE(one->sync());
  EXPECT_EQ(one->size().value(), 15U);
  EXPECT_EQ(one->read(0, 100).value(), std::string("hello\0\0\0\0\0world", 15));
  EXPECT_EQ(one->read(10, 3).value(), "wor");
  EXPECT_EQ(one->read(99, 3).value(), "");
  EXPECT_TRUE(one->truncate(2));
  EXPECT_EQ(files->open(folder + "/a", open_mode::read).value()->read(0, 9).value(), "he");
}

TEST_P(disks, names) {
  make("b", "b");
  make("a", "a");
  EXPECT_EQ(files->list(folder).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(files->rename(folder + "/a", folder + "/b"));
  EXPECT_EQ(files->list(folder).value(), std::vector<std::string>{"b"});
  EXPECT_EQ(files->open(folder + "/b", open_mode::write).value()->read(0, 9).value(), "a");
  EXPECT_TRUE(files->remove(folder + "/b"));
  EXPECT_TRUE(files->list(folder).value().empty());
  EXPECT_TRUE(files->sync_directory(folder));
}

TEST_P(disks, what_fails_says_so) {
  const std::string nowhere = folder + "/nowhere";
  make("a", "");
  EXPECT_EQ(files->open(nowhere, open_mode::read).error().code(), errc::io_error);
  EXPECT_EQ(files->open(nowhere, open_mode::write).error().code(), errc::io_error);
  EXPECT_EQ(files->open(folder + "/a", open_mode::create).error().code(), errc::io_error);
  EXPECT_EQ(files->open(nowhere + "/a", open_mode::create).error().code(), errc::io_error);
  EXPECT_EQ(files->rename(nowhere, folder + "/b").error().code(), errc::io_error);
  EXPECT_EQ(files->remove(nowhere).error().code(), errc::io_error);
  EXPECT_EQ(files->list(nowhere).error().code(), errc::io_error);
  EXPECT_EQ(files->sync_directory(nowhere).error().code(), errc::io_error);
}

INSTANTIATE_TEST_SUITE_P(all, disks,
                         ::testing::Values(disk{"posix", backend::make_posix_file_system},
                                           disk{"memory", [] { return std::make_unique<memory_file_system>(); }}),
                         [](const auto& one) { return std::string(one.param.name); });

class power_cuts : public ::testing::Test {
 protected:
  power_cuts() { static_cast<void>(files.make_directory("/d")); }
  std::string contents(const std::string& path) {
    return files.open(path, open_mode::read).value()->read(0, 100).value();
  }
  memory_file_system files;
};

TEST_F(power_cuts, keep_what_was_synced) {
  auto one = files.open("/d/a", open_mode::create).value();
  one->write(0, "old").value();
  one->sync().value();
  files.sync_directory("/d").value();
  one->write(0, "new").value();
  files.lose_power();
  EXPECT_EQ(contents("/d/a"), "old");
}

TEST_F(power_cuts, lose_names_that_were_not_synced) {
  files.open("/d/a", open_mode::create).value()->sync().value();
  files.lose_power();
  EXPECT_TRUE(files.list("/d").value().empty());
}

TEST_F(power_cuts, undo_renames_and_removals_that_were_not_synced) {
  auto one = files.open("/d/a", open_mode::create).value();
  one->write(0, "a").value();
  one->sync().value();
  EXPECT_TRUE(files.open("/d/b", open_mode::create));
  files.sync_directory("/d").value();
  files.rename("/d/a", "/d/c").value();
  files.remove("/d/b").value();
  files.lose_power();
  EXPECT_EQ(files.list("/d").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(contents("/d/a"), "a");
}

TEST_F(power_cuts, disks_can_fail_and_stay_so) {
  auto one = files.open("/d/a", open_mode::create).value();
  files.fail_after(1);
  EXPECT_TRUE(one->write(0, "a"));
  EXPECT_EQ(one->sync().error().code(), errc::io_error);
  EXPECT_EQ(one->write(0, "b").error().code(), errc::io_error);
  EXPECT_EQ(one->read(0, 1).error().code(), errc::io_error);
  EXPECT_TRUE(files.has_failed());
}

TEST_F(power_cuts, disks_can_fail_once_in_the_middle_of_a_write) {
  auto one = files.open("/d/a", open_mode::create).value();
  files.fail_after(0, memory_file_system::failing::once);
  EXPECT_EQ(one->write(0, "abcd").error().code(), errc::io_error);
  EXPECT_TRUE(files.has_failed());
  EXPECT_EQ(one->read(0, 9).value(), "ab");
  EXPECT_TRUE(one->write(2, "x"));
}

}  // namespace
}  // namespace zkr::testing
