package syncml
import ("testing";"time";"slices";"dmgate/codec/syncml/baseline")
func TestZZCmp(t *testing.T){
 for _,name:=range corpus {
  doc:=file(t,name+".wbxml"); var m,wm Message; wm=*read(t,doc,WBXML); var out []byte
  xdoc:=file(t,name+".xml"); var xm Message
  ops:=[]func(){func(){baseline.WalkWBXML(doc)},func(){m.Read(doc,WBXML,nil)},func(){out=wm.Append(out[:0],WBXML)},func(){xm.Read(xdoc,XML,nil)}}
  res:=make([][]float64,4)
  var rat [][4]float64
  for range 700 { var r [4]float64
   for i,op:=range ops { s:=time.Now(); for range 200{op()}; r[i]=float64(time.Since(s))/200; res[i]=append(res[i],r[i]) }
   rat=append(rat,r)
  }
  med:=func(a,b int)float64{v:=[]float64{}; for _,r:=range rat{v=append(v,r[a]/r[b])}; slices.Sort(v); return v[len(v)/2]}
  for i:=range res{slices.Sort(res[i])}
  p:=func(i int)float64{return res[i][len(res[i])/10]}
  t.Logf("%s p10: floor %.0f read %.0f write %.0f xml %.0f | read/floor p10 %.2f med %.2f | write/read %.2f",name,p(0),p(1),p(2),p(3),p(1)/p(0),med(1,0),med(2,1))
 }
}
