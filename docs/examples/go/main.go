// A small shop. After SIGTERM /readyz says 503, requests are served for --grace, and http.Server.Shutdown ends it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	listen   = flag.String("listen", "127.0.0.1:18080", "address for requests")
	internal = flag.String("internal", "127.0.0.1:18081", "address for health checks")
	data     = flag.String("data", "orders", "folder that orders are kept in")
	warmUp   = flag.Duration("warm-up", 0, "how long it takes to be ready")
	grace    = flag.Duration("grace", 50*time.Millisecond, "how long to go on serving after SIGTERM")
	timeout  = flag.Duration("shutdown-timeout", time.Second, "how long Shutdown may take")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	// A second SIGTERM changes nothing.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := os.MkdirAll(*data, 0o755); err != nil {
		return err
	}

	var ready atomic.Bool
	failed := make(chan error, 2)
	go func() { failed <- http.ListenAndServe(*internal, health(&ready)) }()
	select {
	case <-time.After(*warmUp): // what a real one does here: fill caches, open connections
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: shop()}
	go func() { failed <- server.Serve(listener) }()
	ready.Store(true)
	select {
	case <-ctx.Done():
	case err := <-failed:
		return err
	}

	ready.Store(false)
	time.Sleep(*grace)
	// Closes the port and idle connections at once, and waits for the requests in flight.
	limited, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	return server.Shutdown(limited)
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

func shop() http.Handler {
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
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		answer(w, http.StatusOK, map[string]any{"sold": 42})
	})
	// An order is a file, so that one that is sent twice is one order.
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var order struct{ ID string }
		if json.NewDecoder(r.Body).Decode(&order) != nil || !orderID.MatchString(order.ID) {
			http.Error(w, "an order needs an id", http.StatusBadRequest)
			return
		}
		// The write outlives the process; only a power cut could take it back.
		if err := os.WriteFile(filepath.Join(*data, order.ID), nil, 0o644); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusCreated, map[string]any{"id": order.ID})
	})
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if !orderID.MatchString(id) {
			http.NotFound(w, r)
			return
		}
		if _, err := os.Stat(filepath.Join(*data, id)); err != nil {
			http.NotFound(w, r)
			return
		}
		answer(w, http.StatusOK, map[string]any{"id": id})
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
