struct table;

struct table *table_open(int rows);
void table_close(struct table *table);
int table_sum(struct table *table, int key);
