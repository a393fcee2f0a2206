/*
 * The vector of CPACE-RISTR255-SHA512 in draft-irtf-cfrg-cpace, appendix, in
 * hex. The draft gives none for the confirmations Ta and Tb: they were
 * computed from its ISK by Python's hashlib and hmac.
 */
#ifndef VECTORS_CPACE_H
#define VECTORS_CPACE_H

#define VECTORS_CPACE_SECRET "50617373776f7264"
#define VECTORS_CPACE_CI "0b415f696e69746961746f720b425f726573706f6e646572"
#define VECTORS_CPACE_SID "7e4b4791d6a8ef019b936c79fb7f2c57"
#define VECTORS_CPACE_SCALAR_A \
	"da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08"
#define VECTORS_CPACE_ADA "414461"
#define VECTORS_CPACE_YA \
	"d6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157"
#define VECTORS_CPACE_SCALAR_B \
	"d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d"
#define VECTORS_CPACE_ADB "414462"
#define VECTORS_CPACE_YB \
	"3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258"
#define VECTORS_CPACE_ISK                                                  \
	"b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd" \
	"2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447"
#define VECTORS_CPACE_TA                                                   \
	"30478d28d83ae3b214295e91f4a3eb62999a8ed94575075db4a7d3bc3e4d26f1" \
	"6c51adba12dc7771372637a46b5134e0937cddd7d820bfdd83be335e339eb57a"
#define VECTORS_CPACE_TB                                                   \
	"e927a7da291676f8878caae9cb70407d2f14117e6f9ff9adcfda797c4bcf2bd2" \
	"fefd2ca3f2ddcce81b7386996c895b2f359010cc92069d5ff4ad49a977de79a6"

#endif
