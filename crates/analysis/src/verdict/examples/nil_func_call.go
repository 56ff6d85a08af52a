package example

type Server struct{ onClose func() }

// A callback that nobody gives does nothing.
func NewServer(onClose func()) *Server {
	if onClose == nil {
		onClose = func() {}
	}
	return &Server{onClose: onClose}
}

func (s *Server) Close() { s.onClose() }
