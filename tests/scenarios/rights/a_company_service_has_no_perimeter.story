# Invoices are the company's, not a point's.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Finances is a group of Forges: Anna
When Diane gives invoices on P1 to Finances -> InvalidGroup
When Diane gives invoices to Finances
Then Anna uses invoices: given (Finances)
Then Bruno may not use invoices: reserved (Finances)
