/* An emulator watches the address of this function and reads the value itself. */
void edgeternary_tap(unsigned index, const void *value);

void edgeternary_tap(unsigned index, const void *value)
{
    (void)index;
    (void)value;
}
