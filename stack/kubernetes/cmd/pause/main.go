// Command pause is the sandbox image's process: it holds a pod's namespaces open,
// reaps what becomes its child (it is process 1 where a pod shares its PID
// namespace) and ends when asked to.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for {
		reap()
		if received := <-signals; received != syscall.SIGCHLD {
			return
		}
	}
}

// reap collects every child that has ended; several may share one signal.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}
