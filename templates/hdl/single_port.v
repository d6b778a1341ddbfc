/* SB_SPRAM256KA as a simulator needs it: 16,384 words of 16 bits, four write masks of four bits, one port (Lattice
 * FPGA-TN-02022). Nobody here puts it to sleep. While a word is written its output is not defined: it stays. */
module SB_SPRAM256KA (
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output reg [15:0] DATAOUT
);
    reg [15:0] words [0:16383];
    wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};
    always @(posedge CLOCK)
        if (CHIPSELECT && WREN)
            words[ADDRESS] <= (DATAIN & mask) | (words[ADDRESS] & ~mask);
        else if (CHIPSELECT)
            DATAOUT <= words[ADDRESS];
endmodule
