/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the BPF programs read, and of these only the members that they read. CO-RE
 * finds the real offsets at load time, so order and distance mean nothing here; tests/vmlinux
 * compares each member's name and kind with the running kernel's BTF.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <linux/types.h>

#ifndef __bpf__
#error "vmlinux.h is for BPF programs"
#endif

typedef _Bool bool;
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r10;
	unsigned long r8;
	unsigned long r9;
	unsigned long ax;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
};

struct thread_struct {
	unsigned long fsbase;
};

struct thread_info {
	__u32 cpu; /* 5.16 and later */
};

struct inode {
	unsigned short i_mode;
};

struct file {
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state; /* 5.14 and later */
	int on_cpu;
	int on_rq;
	int exit_state;
	unsigned int in_iowait : 1;
	int pid;
	int tgid;
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct thread_struct thread;
};

struct seq_file;
struct linux_binprm;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* Up to 5.13; the suffix is cut off when the kernel's type is looked up. */
struct task_struct___before_514 {
	long state;
};

/* Up to 5.15. */
struct task_struct___before_516 {
	unsigned int cpu;
};

#pragma clang attribute pop

#endif
