int read_message(int fd);
int wait_for_signal(int times);
