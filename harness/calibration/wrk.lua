-- What wrk is to send, told by the environment: it has no options for it.
wrk.method = os.getenv("WRK_METHOD")
wrk.body = os.getenv("WRK_BODY")
wrk.headers["Connection"] = os.getenv("WRK_CONNECTION")
