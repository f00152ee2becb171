// A small shop that serves the socket which systemd hands it, and leaves politely: no connection is closed before an
// answer on it has said so.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	listen   = flag.String("listen", "127.0.0.1:18080", "address for requests, unless a socket is inherited")
	internal = flag.String("internal", "127.0.0.1:18081", "address for health checks")
	data     = flag.String("data", "orders.txt", "file that orders are kept in")
	warmUp   = flag.Duration("warm-up", 0, "how long it takes to be ready")
	grace    = flag.Duration("grace", 50*time.Millisecond, "how long to go on serving after SIGTERM")
	quiet    = flag.Duration("quiet", time.Second, "how long without a request until idle connections are closed")
	timeout  = flag.Duration("shutdown-timeout", 10*time.Second, "how long the drain may take")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// Each order is one write at the end of the file, so two processes may write at the same time.
	orders, err := os.OpenFile(*data, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}

	var ready atomic.Bool
	failed := make(chan error, 2)
	go func() { failed <- http.ListenAndServe(*internal, health(&ready)) }()
	select {
	case <-time.After(*warmUp):
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}

	listener, err := publicListener()
	if err != nil {
		return err
	}
	traffic := &traffic{}
	server := &http.Server{Handler: traffic.watch(shop(orders)), ConnState: traffic.count}
	go func() { failed <- server.Serve(listener) }()
	ready.Store(true)
	select {
	case <-ctx.Done():
	case err := <-failed:
		return err
	}

	ready.Store(false)
	time.Sleep(*grace)
	traffic.draining.Store(true)
	// Closes this process's copy of an inherited socket: what connects from now on waits for the next process.
	if err := listener.Close(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	traffic.wait(limited)
	return server.Shutdown(limited)
}

// Serves fd 3 if systemd has handed it to this very process: through a wrapper such as `sh -c`, LISTEN_PID is another's.
func publicListener() (net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || os.Getenv("LISTEN_FDS") == "" {
		return net.Listen("tcp", *listen)
	}
	if os.Getenv("LISTEN_FDS") != "1" {
		return nil, errors.New("expected one socket in LISTEN_FDS")
	}
	file := os.NewFile(3, "inherited socket")
	defer file.Close()
	return net.FileListener(file)
}

// Who is connected, and when the last request came.
type traffic struct {
	draining   atomic.Bool
	open       atomic.Int64
	lastUnixMs atomic.Int64
}

func (t *traffic) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		t.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		t.open.Add(-1)
	}
}

func (t *traffic) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.lastUnixMs.Store(time.Now().UnixMilli())
		// SetKeepAlivesEnabled(false) would close idle connections, too, and with them requests that are on their way.
		if t.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// Waits until no connection is open, or no request has come for a while on those that are.
func (t *traffic) wait(ctx context.Context) {
	t.lastUnixMs.Store(time.Now().UnixMilli())
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for t.open.Load() > 0 && time.Since(time.UnixMilli(t.lastUnixMs.Load())) < *quiet {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func health(ready *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

var orderID = regexp.MustCompile(`^[\w-]{1,64}$`)

func shop(orders *os.File) http.Handler {
	version := os.Getenv("APP_VERSION")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		answer(w, http.StatusOK, map[string]any{"id": id, "name": fmt.Sprintf("Item %d", id)})
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond)
		answer(w, http.StatusOK, map[string]any{"sold": 42})
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var order struct{ ID string }
		if json.NewDecoder(r.Body).Decode(&order) != nil || !orderID.MatchString(order.ID) {
			http.Error(w, "an order needs an id", http.StatusBadRequest)
			return
		}
		if _, err := orders.WriteString(order.ID + "\n"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusCreated, map[string]any{"id": order.ID})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App-Version", version)
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
