int relay(int depth);
