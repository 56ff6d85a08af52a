#include "table.h"

#include <stdlib.h>

struct row {
	int key;
	int value;
};

struct table {
	int count;
	struct row **rows;
};

struct table *table_open(int rows)
{
	struct table *table = malloc(sizeof *table);
	table->count = rows;
	table->rows = calloc(rows + 8, sizeof *table->rows);
	for (int i = 0; i < rows; i++) {
		table->rows[i] = malloc(sizeof **table->rows);
		table->rows[i]->key = i;
		table->rows[i]->value = i * 10;
	}
	return table;
}

void table_close(struct table *table)
{
	for (int i = 0; i < table->count; i++)
		free(table->rows[i]);
	free(table->rows);
	free(table);
}

/* The results are used after each call, so that no call becomes a jump. */

static __attribute__((noinline)) int row_value(struct row *volatile *at)
{
	struct row *row = *at;
	return row->value + row->key;
}

static __attribute__((noinline)) int row_sum(struct table *table, int upto)
{
	int sum = 0;
	for (int i = 0; i < upto; i++)
		sum += row_value(&table->rows[i]);
	return sum;
}

int table_sum(struct table *table, int key)
{
	int sum = row_sum(table, key);
	return sum + table->count;
}
