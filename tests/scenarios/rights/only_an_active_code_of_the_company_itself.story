# An area code names no company, and a deactivated code nobody any more.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type Y
When the operator declares Zoe first administrator of Forges -> NoEicCode
Given Forges has an EIC code of type X
Given the EIC code of Forges is deactivated
When the operator declares Zoe first administrator of Forges -> NoEicCode
